"""The heads: what each of them sees of the image, and that old weights still fit."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from backend.card.arch import FINETUNED_HEADS, HEADS
from backend.core.errors import ModelError
from backend.network.heads import build_head
from backend.network.vit import build_model
from backend.network.weights import load_model, save_model


@pytest.fixture
def model_of(card):
    def build(head, patch=8, **sizes):
        torch.manual_seed(0)
        base = card()
        arch = dataclasses.replace(base.arch, head=head, **sizes)
        return build_model(dataclasses.replace(base, arch=arch, patch=patch)).eval()

    return build


def test_every_head_of_a_card_can_be_built(card):
    for head in HEADS:
        arch = dataclasses.replace(card().arch, head=head)
        assert sum(p.numel() for p in build_head(arch, 2, 8, 3).parameters()) > 0


@pytest.mark.parametrize(("head", "depth", "blocks"), [
    ("linear", 6, [5]), ("decoder", 6, [2, 5]), ("conv", 6, [0, 2, 3, 5]), ("conv", 12, [2, 5, 8, 11]),
    ("decoder", 1, [0, 0]), ("conv", 2, [0, 0, 0, 1]),
])  # fmt: skip
def test_a_head_reads_evenly_spaced_blocks_up_to_the_last(model_of, head, depth, blocks):
    model = model_of(head, depth=depth)
    x = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        read = model.features(x)
        for tokens, block in zip(read, blocks):
            torch.testing.assert_close(tokens, model.tokens(x, block))
    assert len(read) == len(blocks)


@pytest.mark.parametrize("head", FINETUNED_HEADS)
def test_only_decoder_and_detail_see_pixels_beside_the_tokens(model_of, head):
    """With the tokens held fixed, a pixel changes the logits of these two around it, and nothing in the others'."""
    model = model_of(head)
    if head == "detail":  # its last layer begins with zeros
        torch.nn.init.normal_(model.head.correct[-1].weight)
    x = torch.zeros(1, 2, 64, 64)
    y = x.clone()
    y[..., 33, 33] = 3.0
    with torch.inference_mode():
        tokens = model.features(x)
        change = (model.head(y, tokens) - model.head(x, tokens)).abs().sum(dim=1)[0]
    assert (float(change[33, 33]) > 0) == (head in ("decoder", "detail"))
    assert float(change[32:35, 32:35].mean()) >= 10 * float(change[:, 48:].mean())


@pytest.mark.parametrize("head", ["conv", "decoder", "detail"])
@pytest.mark.parametrize("width", [4, 8, 200])
def test_any_width_that_a_card_may_name_works(model_of, head, width):
    with torch.inference_mode():
        assert model_of(head, head_dim=width)(torch.randn(1, 2, 32, 64)).shape == (1, 3, 32, 64)


def test_convolutions_want_a_patch_of_a_power_of_two(model_of):
    assert model_of("linear", patch=12)(torch.randn(1, 2, 24, 24)).shape[-2:] == (24, 24)
    with pytest.raises(ModelError, match="12"):
        model_of("conv", patch=12)


@pytest.mark.parametrize("head", HEADS)
def test_weights_come_back_from_a_folder(model_of, card, head, tmp_path):
    model = model_of(head)
    save_model(tmp_path, model, card(arch=dataclasses.replace(card().arch, head=head)))
    again, read = load_model(tmp_path)
    x = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        assert torch.equal(model(x), again(x)) and read.arch.head == head


# Logits [classes, every 17th row] of column 13 by the code that the first model folders were written with.
FIRST = {
    "decoder": [
        [-1.0988, -0.9342, 0.2943, -0.7517], [-1.1276, -0.9940, -0.0959, -0.8784], [-1.0074, -0.9223, -0.4716, -0.8887]
    ],
    "linear": [
        [2.9963, 2.9873, 2.9730, 2.9630], [0.2769, 0.2932, 0.3203, 0.3482], [-2.7261, -2.6928, -2.6379, -2.5863]
    ],
}  # fmt: skip


@pytest.mark.parametrize("head", FIRST)
def test_older_folders_keep_their_names_and_their_answers(model_of, head):
    """Weights made of the order of their names alone: a tensor renamed or used otherwise shows."""
    model = model_of(head)
    state = model.state_dict()
    for number, name in enumerate(sorted(state)):
        if state[name].is_floating_point():
            wave = torch.sin(torch.arange(state[name].numel()) * 0.37 + number).reshape(state[name].shape)
            state[name].copy_(wave.abs() + 0.5 if name.endswith("running_var") else wave * 0.45)
    x = torch.linspace(-2, 2, 2 * 64 * 64).sin().reshape(1, 2, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(model(x)[0, :, ::17, 13], torch.tensor(FIRST[head]), atol=1e-3, rtol=1e-3)
