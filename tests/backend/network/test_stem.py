"""The convolutional stem without positions: its sight, its initialisation, and what the backend does with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.card.arch import Arch
from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.errors import ModelError
from backend.network.int8 import layers_of
from backend.network.stem import REACH
from backend.network.vit import build_backbone, build_model
from backend.network.weights import load_model, save_model
from tests.backend.conftest import tiny_card
from tests.support.backend.portable import compiled
from tests.support.backend.reading import mapped, read

CONV = Arch("vit_tiny_patch16_224", 32, 2, 2, stem="conv", positions="none")
PATCH = 8


def card_of_it() -> ModelCard:
    return tiny_card(arch=CONV)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(1)
    model = build_model(card_of_it()).eval()
    with torch.no_grad():
        model.head.classify.weight.mul_(8)
    root = tmp_path_factory.mktemp("stem") / "tiny"
    save_model(root, model, card_of_it())
    return root


def test_a_token_depends_on_pixels_within_reach_only():
    torch.manual_seed(0)
    stem = build_backbone(CONV, 2, 96, PATCH).patch_embed
    x = torch.randn(1, 2, 96, 96, requires_grad=True)
    row, column = 5, 6
    stem(x)[0, row, column].square().sum().backward()
    seen = x.grad[0].abs().sum(dim=0) > 0
    rows, columns = (np.flatnonzero(seen.any(dim=axis).numpy()) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (row * PATCH - REACH, (row + 1) * PATCH - 1 + REACH)
    assert (columns[0], columns[-1]) == (column * PATCH - REACH, (column + 1) * PATCH - 1 + REACH)


def test_moving_the_image_by_a_patch_moves_the_embedding():
    torch.manual_seed(0)
    backbone = build_backbone(CONV, 2, 96, PATCH)
    wide = torch.randn(1, 2, 96, 96 + PATCH)
    with torch.inference_mode():
        one, other = backbone.patch_embed(wide[..., :96]), backbone.patch_embed(wide[..., PATCH:])
        # Two tokens at an edge see what is beyond it.
        torch.testing.assert_close(one[:, 2:-2, 3:-2], other[:, 2:-2, 2:-3])
        # Nothing is added for a place: of an image that repeats itself, all inner tokens are one.
        placed = backbone._pos_embed(torch.ones(1, 4, 4, 32))[0, backbone.num_prefix_tokens :]
    assert bool((placed == 1).all())


def test_a_card_with_them_round_trips_and_others_are_refused(folder):
    network, card = load_model(folder)
    assert card.arch == CONV and "pos_embed" not in network.state_dict()
    assert ModelCard.load(folder / CARD).arch.to_dict() == CONV.to_dict()
    old = {k: v for k, v in CONV.to_dict().items() if k not in ("stem", "positions")}
    assert (Arch.from_dict(old).stem, Arch.from_dict(old).positions) == ("patch", "learned")
    for name in ("stem", "positions"):
        with pytest.raises(ModelError, match=f"arch.{name} is 'magic'; known are"):
            Arch.from_dict({**CONV.to_dict(), name: "magic"})


def test_attention_is_the_class_tokens_row(folder):
    network, _ = load_model(folder)
    x, seen = torch.randn(2, 2, 64, 48), {}
    target = network.backbone.blocks[1].attn
    hook = target.register_forward_pre_hook(lambda module, inputs: seen.update(x=inputs[0]))
    with torch.inference_mode():
        network.backbone(x)
        hook.remove()
        q, k, _ = target.qkv(seen["x"]).reshape(2, 1 + 48, 3, 2, 16).permute(2, 0, 3, 1, 4)
        full = torch.softmax(q @ k.transpose(-2, -1) / 4, dim=-1)
        torch.testing.assert_close(network.attention(x), full[:, :, 0, 1:].reshape(2, 2, 8, 6))


def test_openvino_makes_the_map_of_pytorch(folder, make_raster, scene_db, tmp_path):
    pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")
    from backend.maps.attention import attention
    from backend.maps.request import MapContext, Request

    scene = make_raster(scene_db(130, 170))
    _, wanted, _, _ = mapped(folder, scene, tmp_path, "pytorch")
    _, found, facts, _ = mapped(folder, scene, tmp_path, "openvino", batch_size=3)
    assert facts["engine"] == "openvino" and np.abs(found - wanted).max() < 1e-4
    maps = []
    for engine in ("pytorch", "openvino"):
        attention(
            Request(str(scene), tmp_path / f"{engine}-attention.tif", folder, engine=engine), context=MapContext()
        )
        maps.append(read(tmp_path / f"{engine}-attention.tif").astype(np.float64))
    assert np.abs(maps[0] - maps[1]).max() < 1e-4


def test_eight_bits_differ_little(folder):
    pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")
    network, card = load_model(folder)
    found: dict[str, tuple[float, float]] = {}
    hooks = [
        layer.register_forward_pre_hook(
            lambda _, given, name=name: found.update({name: (float(given[0].min()), float(given[0].max()))})
        )
        for name, layer in layers_of(network).items()
    ]
    x = torch.randn(8, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted = network(x).softmax(dim=1).numpy()
    for hook in hooks:
        hook.remove()
    assert {"backbone.patch_embed.proj.0", "backbone.patch_embed.near"} <= found.keys()
    made = compiled(network, card, found)
    shares = np.stack([made.answer(tile) for tile in x.numpy()])
    assert 1e-4 < np.abs(shares - wanted).max(), "it ran in floats"
    assert np.abs(shares - wanted).mean() < 0.02
