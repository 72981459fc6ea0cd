"""Measure ranges for int8 and write them into the card, without other changes."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import torch
from rasterio.transform import from_origin

from backend.card.arch import Arch
from backend.card.model_card import LandCoverClass, ModelCard
from backend.card.registry import CARD, NETWORK, WEIGHTS
from backend.network.int8 import layers_of
from backend.network.vit import build_model
from backend.network.weights import load_model, save_model
from backend.radiometry.convert import normalise
from training.quantise import main, measure_ranges
from training.run.common_config import ModelConfig


@pytest.fixture
def model(tmp_path):
    card = ModelCard(
        schema_version=1, name="random", title="Random weights", bands=ModelConfig().bands, product="gamma0",
        gsd_m=10.0, arch=Arch("vit_tiny_patch16_224", 32, 2, 2, head="decoder"), tile=32, patch=8, trained_on=(),
        classes=(LandCoverClass(10, "Tree cover", "#006400"), LandCoverClass(80, "Water", "#0064c8")),
    )  # fmt: skip
    torch.manual_seed(0)
    save_model(tmp_path / "model", build_model(card), card)
    return tmp_path / "model"


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"driver": "GTiff", "crs": "EPSG:32630", "transform": from_origin(5e5, 4e6, 10, 10), "nodata": -99}
    with rasterio.open(
        path, "w", count=2, dtype="float32", height=values.shape[1], width=values.shape[2], **profile
    ) as file:
        file.write(values.astype(np.float32))
        file.descriptions = ("VV", "VH")


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(1)
    for name, shape in (("large", (70, 90)), ("small", (20, 25)), ("empty", (64, 64))):
        values = rng.normal(-15, 4, (2, *shape)) + [[[3.5]], [[-3.5]]]  # VV above VH
        if name == "empty":
            values[:] = -99
        write(tmp_path / "data" / "images" / f"{name}.tif", values)
    return tmp_path / "data"


def test_ranges_are_the_mean_extremes_of_the_inputs(model):
    network, card = load_model(model)
    rng = np.random.default_rng(0)
    tiles = [
        normalise(rng.normal(-14, 5, (2, 32, 32)).astype(np.float32), np.ones((32, 32), bool), card.bands)
        for _ in range(11)
    ]
    found = measure_ranges(network, iter(tiles))
    assert found.keys() == layers_of(network).keys()
    first = [tile.min() for tile in tiles], [tile.max() for tile in tiles]
    assert found["backbone.patch_embed.proj"] == [pytest.approx(np.mean(part), abs=1e-3) for part in first]
    assert all(low <= 0 <= high for low, high in found.values())
    assert not any(layer._forward_pre_hooks for layer in layers_of(network).values())


def test_command_writes_the_card_alone_and_again_the_same(model, data, capsys):
    weights = (model / WEIGHTS).read_bytes()
    before = ModelCard.load(model / CARD)
    assert main([str(model), str(data), "--tiles", "20"]) == 0
    after = ModelCard.load(model / CARD)
    assert after.activation_ranges and not before.activation_ranges
    assert (model / WEIGHTS).read_bytes() == weights
    assert {p.name for p in model.iterdir()} == {CARD, WEIGHTS, NETWORK}
    assert main([str(model), str(data), "--tiles", "20"]) == 0
    assert ModelCard.load(model / CARD) == after
    assert "ranges from 20 tiles" in capsys.readouterr().err


def test_data_without_valid_pixels_is_refused_and_the_card_stays(model, tmp_path, capsys):
    write(tmp_path / "none" / "a.tif", np.full((2, 40, 40), -99.0))
    before = (model / CARD).read_bytes()
    assert main([str(model), str(tmp_path / "none"), "--tiles", "4"]) == 1
    assert "error:" in capsys.readouterr().err
    assert (model / CARD).read_bytes() == before
