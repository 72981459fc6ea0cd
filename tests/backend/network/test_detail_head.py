"""The head that sharpens the answer of the tokens by detail: what it sees, and what the engines make of it."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from backend.card.registry import CARD
from backend.network.detail_head import WIDTH, DetailHead
from backend.network.int8 import QuantisedLayer, layers_of, quantised
from backend.network.vit import build_model
from backend.network.weights import load_model, save_model
from tests.backend.conftest import tiny_card
from tests.support.backend.portable import compiled
from tests.support.backend.ranges import ranges_of
from tests.support.backend.reading import mapped

PATCH, CLASSES = 8, 3


def card_of(**sizes):
    return tiny_card(arch=dataclasses.replace(tiny_card().arch, head="detail", **sizes))


def make_head(head_dim=24, patch=PATCH):
    """A head that was trained, as far as can be told: its last layer isn't zero any more."""
    torch.manual_seed(0)
    head = DetailHead(card_of(head_dim=head_dim).arch, 2, patch, CLASSES).eval()
    torch.nn.init.normal_(head.correct[-1].weight)
    return head


def tokens_for(x, patch=PATCH):
    grid = (len(x), card_of().arch.embed_dim, x.shape[-2] // patch, x.shape[-1] // patch)
    return [torch.randn(grid) for _ in range(DetailHead.taps)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model with it and the ranges of all its layers."""
    torch.manual_seed(1)
    network = build_model(card_of()).eval()
    with torch.no_grad():
        network.head.classify.weight.mul_(8)
        network.head.correct[-1].weight.normal_()
    root = tmp_path_factory.mktemp("detail") / "tiny"
    card = save_model(root, network, card_of())
    dataclasses.replace(card, activation_ranges=ranges_of(network)).save(root / CARD)
    return root


@pytest.mark.parametrize("patch", [8, 12, 16])
@pytest.mark.parametrize(("rows", "columns", "head_dim"), [(1, 1, 4), (2, 5, 64), (8, 3, 200)])
@torch.inference_mode()
def test_every_pixel_gets_logits(patch, rows, columns, head_dim):
    x = torch.randn(2, 2, rows * patch, columns * patch)
    logits = make_head(head_dim, patch)(x, tokens_for(x, patch))
    assert logits.shape == (2, CLASSES, rows * patch, columns * patch) and bool(logits.isfinite().all())


@torch.inference_mode()
def test_at_first_the_tokens_alone_answer():
    head = DetailHead(card_of().arch, 2, PATCH, CLASSES).eval()
    x = torch.randn(1, 2, 48, 64)
    tokens = tokens_for(x)
    answer = head.classify(head.hidden(torch.cat(tokens, dim=1)))
    wanted = F.interpolate(answer, size=(48, 64), mode="bilinear", align_corners=False)
    assert float(wanted.std()) > 0
    torch.testing.assert_close(head(x, tokens), wanted)
    torch.testing.assert_close(head(torch.zeros_like(x), tokens), wanted)


def test_the_correction_learns_from_its_first_step():
    """A last layer of zeros gets gradients, and those before it from the next step on."""
    head = DetailHead(card_of().arch, 2, PATCH, CLASSES).eval()
    x = torch.randn(1, 2, 32, 32)
    tokens = tokens_for(x)
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        head(x, tokens).square().sum().backward()
        optimiser.step()
    assert all(bool(p.grad.abs().sum() > 0) for p in head.parameters())


@torch.inference_mode()
def test_the_level_of_the_image_is_not_seen():
    """A constant for each band, added to the image, doesn't change what the correction is given of it."""
    head, x = make_head(), torch.randn(1, 2, 64, 48)
    given = []
    head.detail.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    tokens = tokens_for(x)
    brighter = x + torch.tensor([1.5, -0.7]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(head(brighter, tokens), head(x, tokens), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(given[0], given[1], atol=1e-5, rtol=0)
    head(torch.full_like(x, 2.5), tokens)
    assert float(given[2].abs().max()) < 1e-5, "nothing is left of an even image, at its edges neither"


@torch.inference_mode()
def test_a_change_of_level_moves_the_answer_by_the_tokens_only(folder):
    network, _ = load_model(folder)
    x = torch.randn(1, 2, 64, 64, generator=torch.Generator().manual_seed(2))
    before, after = network.features(x), network.features(x + 1)
    assert not torch.allclose(before[-1], after[-1], atol=1e-3)
    torch.testing.assert_close(network.head(x + 1, after), network.head(x, after), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(network(x + 1), network(x), atol=1e-3)


@torch.inference_mode()
def test_surroundings_are_the_mean_of_the_pixels_in_the_tile():
    head, x = make_head(), torch.randn(1, 1, 40, 33)
    half = PATCH - 1
    around = head._around(x)[0, 0].numpy()
    for row, column in [(0, 0), (3, 32), (20, 16), (39, 5)]:
        window = x[0, 0, max(0, row - half) : row + half + 1, max(0, column - half) : column + half + 1]
        assert around[row, column] == pytest.approx(float(window.mean()), abs=1e-5)


@torch.inference_mode()
def test_a_bright_pixel_is_seen_at_its_place_and_not_far_away():
    head, x = make_head(), torch.zeros(1, 2, 96, 96)
    tokens = tokens_for(x)
    bright = x.clone()
    bright[..., 48, 48] = 4.0
    change = (head(bright, tokens) - head(x, tokens)).abs().sum(dim=1)[0].numpy()
    assert change[48, 48] > 1e-3
    # The mean of the surroundings reaches a patch less one, three convolutions of 3 x 3 a pixel each.
    reach = PATCH - 1 + 3
    rows, columns = np.nonzero(change > 1e-5)
    assert max(abs(rows - 48).max(), abs(columns - 48).max()) <= reach


def test_openvino_makes_the_map_of_pytorch(folder, make_raster, scene_db, tmp_path):
    pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")
    values = scene_db(150, 210)
    values[:, 50:80, :90] = np.nan
    scene = make_raster(values)
    _, wanted, _, _ = mapped(folder, scene, tmp_path, "pytorch")
    _, found, facts, lines = mapped(folder, scene, tmp_path, "openvino", batch_size=3)
    assert facts["engine"] == "openvino" and ("info", "OpenVINO runs the model.") in lines
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    assert np.nanmax(np.abs(found - wanted)) < 1e-4


def test_eight_bits_differ_little(folder, make_raster, scene_db, tmp_path):
    pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")
    scene = make_raster(scene_db(200, 310))
    _, wanted, _, _ = mapped(folder, scene, tmp_path, "pytorch")
    _, found, facts, _ = mapped(folder, scene, tmp_path, "openvino-int8")
    assert facts["engine"] == "openvino-int8"
    far = np.abs(found - wanted)
    assert 1e-4 < far.max(), "it ran in floats"
    assert far.mean() < 0.02


@torch.inference_mode()
def test_its_layers_are_quantised_unless_no_range_is_given(folder):
    network, card = load_model(folder)
    names = {name for name in layers_of(network) if name.startswith("head.")}
    parts = ("hidden.0", "classify", "told", "detail.0", "detail.2", "correct.0", "correct.2")
    assert names == {f"head.{part}" for part in parts}
    assert names < card.activation_ranges.keys()
    coarse = quantised(network, card.activation_ranges)
    assert all(isinstance(coarse.get_submodule(name), QuantisedLayer) for name in names)
    rest = {name: values for name, values in card.activation_ranges.items() if name not in names}
    partly = quantised(network, rest)
    assert not any(isinstance(partly.get_submodule(name), QuantisedLayer) for name in names)
    assert isinstance(partly.get_submodule("backbone.blocks.0.mlp.fc1"), QuantisedLayer)


def test_eight_bits_of_an_untrained_correction_add_nothing():
    """All weights of the last layer are zero: no division by their range."""
    pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")
    torch.manual_seed(1)
    network = build_model(card_of()).eval()
    ranges = {name: values for name, values in ranges_of(network).items() if name.startswith("head.correct")}
    x = torch.randn(4, 2, 64, 64, generator=torch.Generator().manual_seed(3))
    made = compiled(network, card_of(), ranges)
    found = np.stack([made.answer(tile) for tile in x.numpy()])
    with torch.inference_mode():
        np.testing.assert_allclose(found, network(x).softmax(dim=1).numpy(), atol=1e-4)


def test_a_folder_keeps_weights_and_names(folder, tmp_path):
    network, card = load_model(folder)
    shutil.copytree(folder, tmp_path / "copy")
    again, read = load_model(tmp_path / "copy")
    assert read.arch.head == "detail" and read.arch == card.arch
    assert network.head.told.out_channels == WIDTH
    x = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        assert torch.equal(network(x), again(x))
