"""PyTorch as an engine: the device, the batch that fits it, and memory that runs out."""

import numpy as np
import pytest
import torch

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.errors import ResourceError
from backend.engines import pytorch
from backend.engines.pytorch import GPU_TOKENS, TileRunner, auto_batch, choose_device


def test_a_device_is_the_one_asked_for_or_the_best(monkeypatch):
    monkeypatch.setattr(pytorch, "available_devices", lambda: ["cuda", "cpu"])
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")
    assert choose_device("auto", 1) == torch.device("cuda", 1)
    assert choose_device("cpu", 1) == torch.device("cpu")
    with pytest.raises(ResourceError, match="finds cuda, cpu here") as refusal:
        choose_device("mps")
    assert "auto" in refusal.value.hint


def test_the_batch_of_a_card_depends_on_all_its_memory(tiny_model, monkeypatch):
    card = ModelCard.load(tiny_model / CARD)
    card_of = type("Properties", (), {"total_memory": 0})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card_of)
    batches = []
    for card_of.total_memory in (2**20, 2**26, 2**40):
        batches.append(auto_batch(card, torch.device("cuda")))
    assert batches[0] == 1 < batches[1] < batches[2] == GPU_TOKENS // (card.tile // card.patch) ** 2


def test_memory_that_runs_out_halves_the_batch():
    told = []

    def greedy(x):
        if len(x) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return x + 1

    runner = TileRunner(greedy, torch.device("cpu"), 8, lambda level, text: told.append(text))
    tiles = np.random.default_rng(0).random((7, 1, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(runner(tiles), tiles + np.float32(1))
    runner(tiles)
    assert len(told) == 1

    def hopeless(x):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(ResourceError, match="one tile"):
        TileRunner(hopeless, torch.device("cpu"), 8, print)(tiles)
