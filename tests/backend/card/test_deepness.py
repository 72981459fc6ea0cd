"""Test the metadata for Deepness by reading them as its code does."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.card.arch import Arch
from backend.card.deepness import deepness_metadata
from backend.card.model_card import Band, LandCoverClass, ModelCard
from backend.radiometry.convert import normalise

CARD = ModelCard(
    schema_version=1, name="tiny", title="Tiny", product="gamma0", gsd_m=10.0, tile=224, patch=8, trained_on=(),
    bands=(Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9)),
    arch=Arch("vit_tiny_patch16_224", 16, 2, 2),
    classes=(LandCoverClass(10, "Árbol", "#006400"), LandCoverClass(80, "Water", "#0064c8")),
)  # fmt: skip


def test_every_entry_is_what_the_plugin_parses():
    found = {name: json.loads(text) for name, text in deepness_metadata(CARD).items()}
    assert str(found["model_type"]).capitalize() == "Segmentor"
    names = sorted(found["class_names"].items(), key=lambda pair: int(pair[0]))
    assert [int(number) for number, _ in names] == [0, 1] and [name for _, name in names] == ["Árbol", "Water"]
    assert float(found["resolution"]) == 1000 and int(found["tile_size"]) == int(found["tiles_size"]) == 224
    assert int(found["tiles_overlap"]) == 25
    # Both switch their filters off (`bool(value != 0)`).
    assert float(found["seg_thresh"]) == 0 and int(found["seg_small_segment"]) == 0


def test_clipped_decibels_are_standardised_as_in_training():
    db = np.random.default_rng(0).uniform(-29, -1, (2, 16, 16)).astype(np.float32)
    found = {name: json.loads(text) for name, text in deepness_metadata(CARD).items()}
    mean, std = (np.array(found[f"standardization_{name}"], np.float32) for name in ("mean", "std"))
    tiles = np.float32(db.transpose(1, 2, 0)[None] * 1.0 / 255.0)  # as preprocessing_utils does: NHWC, by 255
    given = np.transpose((tiles - mean) / std, (0, 3, 1, 2))[0]
    wanted = normalise(db, np.ones((16, 16), np.bool_), CARD.bands)
    np.testing.assert_allclose(given, wanted, atol=1e-5)


@pytest.mark.parametrize("windows, tile, wanted", [((), 224, 25), ((21,), 32, 63), ((63,), 32, 90)])
def test_tiles_overlap_as_far_as_a_forest_sees(windows, tile, wanted):
    card = replace(CARD, tile=tile, arch=replace(CARD.arch, windows=windows))
    assert json.loads(deepness_metadata(card)["tiles_overlap"]) == wanted
