"""The network's shapes, and its attention against an independent computation."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from backend.card.arch import HEADS, Arch
from backend.card.model_card import ModelCard
from backend.network.vit import build_model


@pytest.fixture
def card(tiny_model):
    return ModelCard.load(tiny_model / "card.json")


def with_arch(card, **changes):
    return dataclasses.replace(card, arch=dataclasses.replace(card.arch, **changes))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("patch", [4, 8, 16])
@pytest.mark.parametrize("size", [(64, 64), (32, 96)])
def test_logits_are_as_large_as_the_input(card, head, patch, size):
    model = build_model(dataclasses.replace(with_arch(card, head=head), patch=patch)).eval()
    with torch.inference_mode():
        assert model(torch.randn(2, 2, *size)).shape == (2, len(card.classes), *size)


def test_a_model_of_one_block_and_registers_works(card):
    model = build_model(with_arch(card, depth=1, registers=4)).eval()
    x = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        assert model(x).shape[-2:] == (64, 64)
        assert model.attention(x).shape == (1, 2, 8, 8)


@pytest.mark.parametrize("block", [-1, 0, 1])
@pytest.mark.parametrize("registers", [0, 2])
def test_attention_is_the_cls_row_of_that_block(card, block, registers):
    """The softmax is recomputed from the block's own projections, on inputs taken from a plain forward pass."""
    torch.manual_seed(0)
    model = build_model(with_arch(card, registers=registers)).eval()
    x = torch.randn(2, 2, 64, 64)
    seen = {}
    target = model.backbone.blocks[block].attn
    hook = target.register_forward_pre_hook(lambda module, inputs: seen.update(x=inputs[0]))
    with torch.inference_mode():
        model.backbone(x)
        hook.remove()
        n, tokens, dim = seen["x"].shape
        qkv = target.qkv(seen["x"]).reshape(n, tokens, 3, 2, dim // 2)
        q, k = qkv[:, :, 0].transpose(1, 2), qkv[:, :, 1].transpose(1, 2)
        full = torch.softmax(q @ k.transpose(-2, -1) / (dim // 2) ** 0.5, dim=-1)
        expected = full[:, :, 0, 1 + registers :].reshape(n, 2, 8, 8)
        found = model.attention(x, block)
    torch.testing.assert_close(found, expected)
    assert (found.sum(dim=(2, 3)) <= 1 + 1e-5).all()


def test_tokens_of_a_block_are_a_grid(card):
    model = build_model(card).eval()
    with torch.inference_mode():
        x = torch.randn(1, 2, 64, 32)
        assert model.tokens(x).shape == (1, 32, 8, 4)
        assert not torch.equal(model.tokens(x, 0), model.tokens(x, 1))


@pytest.mark.parametrize("block", [2, -3])
def test_a_block_that_is_not_there_is_refused(card, block):
    with pytest.raises(ValueError, match="block"):
        build_model(card).attention(torch.randn(1, 2, 64, 64), block)


def test_the_answer_does_not_depend_on_the_rest_of_the_batch(card):
    torch.manual_seed(0)
    model = build_model(card).eval()
    x = torch.randn(3, 2, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(model(x)[1:2], model(x[1:2]), atol=1e-5, rtol=1e-5)


def test_sizes_come_from_the_card_alone(card):
    model = build_model(with_arch(card, embed_dim=48, heads=3, depth=3))
    assert (model.depth, model.heads, model.patch) == (3, 3, 8)
    assert model.backbone.embed_dim == 48
    assert Arch.from_dict(card.arch.to_dict()) == card.arch
