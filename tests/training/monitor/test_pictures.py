from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.network.vit import SarViT
from tests.support.blocks import PATCH, small_model, write_blocks, write_raster
from tests.support.geotiffs import land
from training.data.dataset import ChipFolder
from training.monitor.pictures import SIDE, Gallery, choose_scenes, principal_scores, pseudo_colour, stretch

LEVELS = {"VV": -11, "VH": -18}  # dB
CPU = torch.device("cpu")


def _folder(root: Path, shapes: list[tuple[int, int]], bands: tuple[str, ...] = ("VV", "VH")) -> ChipFolder:
    for number, shape in enumerate(shapes):
        rng = np.random.default_rng(number)
        db = (rng.normal(0, 3, (len(bands), *shape)) + [[[LEVELS[band]]] for band in bands]).astype(np.float32)
        write_raster(root / f"{number:02d}.tif", db, bands, nodata=-9999)
    return ChipFolder(root, small_model().bands)


def test_scenes_are_centres_that_the_patch_divides(tmp_path: Path) -> None:
    model = small_model()
    folder = _folder(tmp_path, [(300, 45)])
    (scene,) = choose_scenes([folder], model, 1)
    assert scene.x.shape == (2, SIDE, 40) and scene.tokens.shape == (SIDE // PATCH, 5)
    chip = folder[0]
    np.testing.assert_array_equal(scene.db, chip.db[:, 22 : 22 + SIDE, 2:42])
    assert scene.name == f"{tmp_path.name}\n00"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 30])
def test_scenes_are_spread_over_folders_and_the_same_again(tmp_path: Path, count: int) -> None:
    folders = [_folder(tmp_path / name, [(32, 32)] * 5) for name in "abc"]
    names = [scene.name for scene in choose_scenes(folders, small_model(), count)]
    assert names == [scene.name for scene in choose_scenes(folders, small_model(), count)]
    assert len(set(names)) == len(names) and len(names) == min(count, 15)
    each = [sum(name.startswith(letter) for name in names) for letter in "abc"]
    assert max(each) - min(each) <= 1


def test_invalid_scenes_give_way_to_valid_ones(tmp_path: Path) -> None:
    void = np.full((2, 32, 32), -9999, dtype=np.float32)
    for number in (0, 1, 3, 4):
        write_raster(tmp_path / f"{number:02d}.tif", void, ("VV", "VH"), nodata=-9999)
    void[:, 4:] = -15
    write_raster(tmp_path / "02.tif", void, ("VV", "VH"), nodata=-9999)
    tiny = np.full((2, 4, 4), -15, dtype=np.float32)  # smaller than a patch
    write_raster(tmp_path / "05.tif", tiny, ("VV", "VH"), nodata=-9999)
    scenes = choose_scenes([ChipFolder(tmp_path, small_model().bands)], small_model(), 4)
    assert [scene.name.split("\n")[1] for scene in scenes] == ["02"]


def test_what_is_drawn_is_the_attention_of_the_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = small_model(heads=4)
    vit = SarViT(model.arch, 2, model.tile, model.patch, classes=2).eval()
    write_blocks(tmp_path / "dual", "ab")
    folders = [ChipFolder(tmp_path / "dual", model.bands), _folder(tmp_path / "single", [(32, 48)], ("VH",))]
    scenes = choose_scenes(folders, model, 2)
    figure = Gallery(scenes).draw(vit, CPU, "Teacher")
    axes = np.array(figure.axes).reshape(2, 3 + 4)
    assert [axis.get_title() for axis in axes[0]] == [
        "backscatter", "components", "attention: mean", "head 1", "head 2", "head 3", "head 4",
    ]  # fmt: skip
    for row, scene in zip(axes, scenes):
        with torch.no_grad():
            attention = vit.attention(torch.from_numpy(scene.x)[None])[0].numpy()
        logs = np.log2(attention * attention[0].size)
        shown = [np.asarray(axis.images[0].get_array()) for axis in row]
        for picture, values in zip(shown[2:], [logs.mean(axis=0), *logs]):
            np.testing.assert_allclose(picture, stretch(values), atol=1e-6)
        assert shown[0].shape == (*scene.valid.shape, 3) and shown[1].shape == (*scene.tokens.shape, 3)
    grey = np.asarray(axes[1, 0].images[0].get_array())
    assert np.array_equal(grey[..., 0], grey[..., 1]) and np.array_equal(grey[..., 0], grey[..., 2])


def test_invalid_patches_are_left_blank(tmp_path: Path) -> None:
    model = small_model()
    db = land(0, 32)
    db[:, :8, :24] = -9999
    write_raster(tmp_path / "a.tif", db, ("VV", "VH"), nodata=-9999)
    scenes = choose_scenes([ChipFolder(tmp_path, model.bands)], model, 1)
    vit = SarViT(model.arch, 2, model.tile, model.patch, classes=2).eval()
    shown = [np.ma.filled(axis.images[0].get_array(), np.nan) for axis in Gallery(scenes).draw(vit, CPU, "").axes]
    assert (shown[0][:8, :24] == 1).all() and (shown[1][0, :3] == 1).all()
    assert np.isnan(shown[2][0, :3]).all() and np.isfinite(shown[2][1:]).all()


def test_colours_follow_components_that_flip_or_swap() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(200, 3))
    axes = np.linalg.qr(rng.normal(size=(8, 8)))[0][:3]
    before = principal_scores((parts * [5, 3, 1] @ axes).astype(np.float32), parts[:, 0].astype(np.float32), None)
    now = parts * [3, -5, 1] @ axes  # the second leads, and points the other way
    after = principal_scores(now.astype(np.float32), parts[:, 0].astype(np.float32), before)
    likeness = [np.corrcoef(a, b)[0, 1] for a, b in zip(before.T, after.T)]
    assert min(likeness) > 0.9


def test_the_first_colours_rise_with_brightness() -> None:
    rng = np.random.default_rng(1)
    level = rng.normal(size=100)
    for sign in (1, -1):
        tokens = np.outer(sign * level, np.ones(6)) + rng.normal(0, 0.1, (100, 6))
        scores = principal_scores(tokens.astype(np.float32), level.astype(np.float32), None)
        assert np.corrcoef(scores[:, 0], level)[0, 1] > 0.9


def test_fewer_tokens_than_colours_are_drawn_too() -> None:
    scores = principal_scores(np.arange(16, dtype=np.float32).reshape(2, 8), np.arange(2, dtype=np.float32), None)
    assert scores.shape == (2, 3) and np.isfinite(scores).all() and (scores[:, 2] == 0).all()


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(-100, 100, width=32)))
def test_a_stretch_keeps_order_and_range(values: np.ndarray) -> None:
    result = stretch(values)
    assert result.min() >= 0 and result.max() <= 1
    order = np.argsort(values, kind="stable")
    assert (np.diff(result[order]) >= 0).all()


def test_one_band_is_grey_and_two_have_their_difference_in_blue() -> None:
    rng = np.random.default_rng(0)
    db = rng.normal(-15, 3, (2, 20, 20)).astype(np.float32)
    valid = np.ones((20, 20), dtype=bool)
    valid[0] = False
    colour = pseudo_colour(db, valid)
    assert (colour[0] == 1).all()
    np.testing.assert_allclose(colour[1:, :, 2], stretch(db[0] - db[1])[1:], atol=0.1)
    db[0] = np.nan
    grey = pseudo_colour(db, valid)
    assert np.array_equal(grey[..., 0], grey[..., 2]) and grey[1:].std() > 0.1
