"""The head of own classes: its features against scipy, smoothing, borders of validity, and tiles."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import rasterio
import torch
from scipy import ndimage

from backend.card.model_card import ModelCard
from backend.maps.landcover import landcover, landcover_overlap
from backend.maps.request import Request
from backend.network.focal import feature_count, window_features
from backend.network.forest_head import PIXELS, Trees
from backend.network.vit import build_model
from backend.network.weights import load_model, save_model

WINDOWS = (3, 9)


def test_features_are_those_of_scipy_away_from_borders():
    x = torch.randn(1, 2, 40, 50, generator=torch.Generator().manual_seed(0))
    found = window_features(x, WINDOWS)[0].double().numpy()
    assert len(found) == feature_count(2, WINDOWS) == 15
    kinds = [x[0].numpy()]
    for side in WINDOWS:
        bands = x[0].double().numpy()
        means = [ndimage.uniform_filter(band, side) for band in bands]
        squares = [ndimage.uniform_filter(band**2, side) for band in bands]
        kinds += [np.stack(means), np.stack([np.sqrt(s - m**2) for s, m in zip(squares, means)])]
    expected = [row for kind in kinds for row in (*kind, kind[0] - kind[1])]
    inside = np.s_[:, 4:-4, 4:-4]
    np.testing.assert_allclose(found[inside], np.stack(expected)[inside], atol=1e-4)


def test_invalid_pixels_and_what_lies_outside_count_for_nothing():
    rng = np.random.default_rng(1)
    x = rng.normal(1, 1, (2, 12, 12)).astype(np.float32)
    x[:, 4:8, 4:8] = 0  # invalid
    valid = (x != 0).any(axis=0)
    found = window_features(torch.from_numpy(x)[None], (5,))[0].numpy()
    for row, column in ((0, 0), (5, 3), (11, 6), (3, 3)):
        around = np.s_[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        values = x[1][around][valid[around]]
        np.testing.assert_allclose(found[[4, 7], row, column], [values.mean(), values.std()], atol=1e-5)
    alone = np.zeros((1, 1, 9, 9), dtype=np.float32)
    assert not window_features(torch.from_numpy(alone), (3,)).any()


@pytest.fixture
def own_card(card):
    arch = dataclasses.replace(
        card().arch, head="forest", head_dim=8, windows=(3, 9), trees=6, tree_nodes=16, tree_depth=4, smooth=5
    )
    return card(arch=arch)


def grown(card):
    """A model whose trees of 15 nodes ask and know something, at random; the second half of each node are leaves."""
    torch.manual_seed(0)
    model = build_model(card).eval()
    head = model.head
    head.feature.random_(head.features)
    head.threshold.normal_()
    head.threshold[:, 7:] = 1e30
    node = torch.arange(16)
    head.child.copy_(torch.where(node < 7, 2 * node + 1, node))
    head.share.copy_(torch.rand_like(head.share).softmax(dim=-1))
    return model


def by_hand(trees, x):
    """Down every tree with one pixel."""
    found = []
    for feature, threshold, child, share in zip(trees.feature, trees.threshold, trees.child, trees.share):
        node = 0
        while child[node] != node:
            node = int(child[node]) + int(x[feature[node]] > threshold[node])
        found.append(share[node])
    return torch.stack(found).mean(dim=0)


def test_trees_answer_as_one_walks_down_them(own_card):
    trees = grown(own_card).head.trees
    columns = torch.randn(int(trees.feature.max()) + 1, PIXELS + 3)
    found = trees.probabilities(columns)
    for pixel in (0, 1, PIXELS - 1, PIXELS + 2):
        torch.testing.assert_close(found[pixel], by_hand(trees, columns[:, pixel]))


@pytest.mark.parametrize("wrong", [-7, 32_000])
def test_features_and_nodes_out_of_range_read_nothing_beyond(wrong):
    """Features and nodes outside of the tables count as the nearest that there are."""
    table = torch.full((1, 4), wrong, dtype=torch.int16)
    trees = Trees(table, torch.zeros(1, 4), table, torch.rand(1, 4, 3), 9)
    assert trees.probabilities(torch.randn(2, 50)).shape == (50, 3)


def test_probabilities_are_averaged_over_valid_neighbours(own_card):
    model = grown(own_card)
    x = torch.randn(1, 2, 64, 64)
    x[..., 20:30] = 0
    with torch.inference_mode():
        tokens = model.features(x)
        smooth = model.head(x, tokens).exp()[0].numpy()
        model.head.smooth = 1
        sharp = model.head(x, tokens).exp()[0].numpy()
    np.testing.assert_allclose(smooth.sum(axis=0)[:, :20], 1, atol=1e-5)
    near = np.s_[:, 30:35, 16:20]  # columns 20 and on are invalid
    np.testing.assert_allclose(smooth[:, 32, 18], sharp[near].mean(axis=(1, 2)), atol=1e-5)


def test_a_folder_comes_back_and_older_cards_have_no_windows(own_card, tmp_path, tiny_model):
    model = grown(own_card)
    save_model(tmp_path / "m", model, own_card)
    again, read = load_model(tmp_path / "m")
    assert read.arch == own_card.arch and read.arch.windows == (3, 9)
    x = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        assert torch.equal(model(x), again(x))
    plain = json.loads((tiny_model / "card.json").read_text())
    for name in ("windows", "trees", "tree_nodes", "tree_depth", "smooth"):
        del plain["arch"][name]
    arch = ModelCard.from_dict(plain).arch
    assert (arch.windows, arch.trees, arch.smooth, arch.reach) == ((), 1, 1, 0)


def test_tiles_overlap_by_the_windows_up_to_half_a_tile():
    assert landcover_overlap(128, 8) == landcover_overlap(128, 8, 16) == 16
    assert landcover_overlap(128, 8, 17) == 24
    assert landcover_overlap(64, 8, 60) == 32


def test_windows_leave_no_seams(own_card, make_raster, scene_db, tmp_path):
    """Of a head that sees windows and no tokens, a map in tiles is the map in one piece but for the outer ramp."""
    model = grown(own_card)
    with torch.no_grad():
        model.head.tokens.weight.zero_()
    raster = make_raster(scene_db(160, 160))
    maps = []
    for name, tile in (("tiles", 64), ("whole", 160)):
        card = dataclasses.replace(own_card, tile=tile)
        fresh = build_model(card)
        fresh.head.load_state_dict(model.head.state_dict())
        save_model(tmp_path / name, fresh, card)
        chances = tmp_path / f"{name}.p.tif"
        landcover(Request(str(raster), tmp_path / f"{name}.tif", tmp_path / name), probabilities=chances)
        with rasterio.open(chances) as file:
            maps.append(file.read())
    difference = np.abs(maps[0] - maps[1])
    assert difference.max() < 0.05 and difference.mean() < 2e-3
