"""Test the STAC item of a model: valid by the published schemas, and true to the card and the files."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from backend.card.arch import Arch
from backend.card.mlm import mlm_item, stac_licence
from backend.card.model_card import Band, LandCoverClass, ModelCard
from backend.card.model_files import measure_files
from backend.card.network_file import NetworkFile
from backend.core.errors import ModelError
from backend.radiometry.convert import normalise
from tests.support.stac.schemas import item_errors

WEIGHTS = save({"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float16), "steps": np.zeros(2, np.int64)})
PLAIN = ModelCard(
    schema_version=1, name="tiny", title="Tiny", product="gamma0", gsd_m=10.0, tile=32, patch=8,
    bands=(Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9)),
    arch=Arch("vit_tiny_patch16_224", 16, 2, 2), licence="CC0-1.0",
    classes=(LandCoverClass(10, "Tree cover", "#006400"), LandCoverClass(80, "Water", "#0064c8")),
    trained_on=("Backbone: random weights (from scratch)",), weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
)  # fmt: skip
ODD = replace(
    PLAIN, name="2", title="Größe \ud800", licence="ask me", allows_missing_bands=True,
    bands=(*PLAIN.bands, Band("coherence", "coherence", (0.0, 1.0), 0.4, 0.2)),
    classes=(
        LandCoverClass(1, "Árbol", "#ABCDEF", "wood"), LandCoverClass(2, "arbol", "#000000", "wood"),
        LandCoverClass(3, "林地", "#0a0a0a"), LandCoverClass(4, "Reed / fen (wet)", "#ffffff"),
    ),
    trained_on=("12 samples", "Backbone: model tiny, unchanged", "Backbone: random weights"),
)  # fmt: skip


def folder_of(card, folder, onnx=b""):
    (folder / "card.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    if onnx:
        (folder / "network.onnx").write_bytes(onnx)
        card = replace(card, network=NetworkFile(sha256=hashlib.sha256(onnx).hexdigest()))
    return measure_files(folder, card)


@pytest.mark.parametrize("card", [PLAIN, ODD, replace(PLAIN, licence="", trained_on=(), name="a.b-")])
@pytest.mark.parametrize("onnx", [b"", b"network"])
def test_items_are_valid_by_all_schemas(card, onnx, tmp_path):
    assert item_errors(mlm_item(card, folder_of(card, tmp_path, onnx), "../a%20b/")) == []


def test_the_schemas_refuse_what_is_wrong(tmp_path):
    """Guard the test above: a validator that reads no schema finds nothing."""
    item = mlm_item(PLAIN, folder_of(PLAIN, tmp_path))
    del item["properties"]["mlm:input"]
    item["properties"]["mlm:output"][0]["classification:classes"][0]["value"] = "10"
    item["assets"]["card"]["file:size"] = -1
    item["bbox"] = [0]
    wrong = "\n".join(item_errors(item))
    assert "mlm:input" in wrong and "classification:classes" in wrong and len(wrong.splitlines()) >= 4


def test_value_scaling_is_what_the_program_does(tmp_path):
    db = np.linspace(-60, 20, 200, dtype=np.float32).reshape(2, 10, 10)
    wanted = normalise(db, np.ones((10, 10), np.bool_), PLAIN.bands)
    described = mlm_item(PLAIN, folder_of(PLAIN, tmp_path))["properties"]["mlm:input"][0]
    assert described["bands"] == ["VV", "VH"] and described["input"]["shape"] == [-1, 2, 32, 32]
    for band, scaling, result in zip(db, described["value_scaling"], wanted):
        assert scaling["format"] == "gdal-calc"
        found = eval(scaling["expression"], {"clip": np.clip, "A": band})  # as gdal_calc.py does
        np.testing.assert_allclose(found, result, atol=1e-5)


def test_files_are_described_by_size_and_multihash(tmp_path):
    item = mlm_item(PLAIN, folder_of(PLAIN, tmp_path, b"network"), "./m/")
    weights, onnx = item["assets"]["weights"], item["assets"]["onnx"]
    assert weights["href"] == "./m/model.safetensors" and weights["file:size"] == len(WEIGHTS)
    assert weights["file:checksum"] == "1220" + PLAIN.weights_sha256
    assert onnx["file:checksum"] == "1220" + hashlib.sha256(b"network").hexdigest()
    assert item["properties"]["mlm:total_parameters"] == 12 + 5
    assert "probabilities" in item["properties"]["mlm:output"][0]["description"]


def test_what_a_backbone_came_from_is_said(tmp_path):
    plain = mlm_item(PLAIN, folder_of(PLAIN, tmp_path))["properties"]
    odd = mlm_item(ODD, folder_of(ODD, tmp_path))["properties"]
    assert plain["mlm:pretrained"] is False and plain["mlm:pretrained_source"] is None
    assert odd["mlm:pretrained"] is True and odd["mlm:pretrained_source"] == "model tiny, unchanged"


def test_classes_keep_their_values_names_and_groups(tmp_path):
    output = mlm_item(ODD, folder_of(ODD, tmp_path))["properties"]["mlm:output"][0]
    names = [(item["value"], item["name"], item["description"]) for item in output["classification:classes"]]
    assert names == [
        (1, "arbol-1", "Árbol"), (2, "arbol-2", "arbol"), (3, "class-3", "林地"),
        (4, "reed-fen-wet", "Reed / fen (wet)"),
    ]  # fmt: skip
    assert "wood = 1, 2" in output["description"]


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("MIT", "MIT"), ("GPL-2.0-or-later. Contains modified Copernicus Sentinel data.", "GPL-2.0-or-later"),
        ("MIT or GPL-2.0-only", "other"), ("MIT-like", "other"), ("CC BY 4.0", "other"),
        ("CC-BY-4.0; cite us", "CC-BY-4.0"),
    ],
)  # fmt: skip
def test_a_licence_is_named_only_where_the_text_names_that_one(text, wanted):
    assert stac_licence(text) == wanted


def test_weights_of_another_card_and_damaged_ones_are_refused(tmp_path):
    with pytest.raises(ModelError, match="model.safetensors has SHA-256"):
        folder_of(replace(PLAIN, weights_sha256="0" * 64), tmp_path)
    (tmp_path / "network.onnx").write_bytes(b"another")
    with pytest.raises(ModelError, match="network.onnx has SHA-256"):
        measure_files(tmp_path, replace(PLAIN, network=NetworkFile(sha256="0" * 64)))
    for content in (b"", b"\xff" * 8, b"\x02" + bytes(7) + b"[]", b"\x09" + bytes(7) + b'{"a":{ }}'):
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(ModelError, match="not a safetensors file"):
            measure_files(tmp_path, replace(PLAIN, weights_sha256=hashlib.sha256(content).hexdigest()))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="can't be read"):
        measure_files(tmp_path, PLAIN)
