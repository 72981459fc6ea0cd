"""The bundled model's network is that of its weights, and gives the map of PyTorch."""

from __future__ import annotations

import hashlib

import pytest
import rasterio
from rasterio.windows import Window

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, NETWORK, model_folder
from backend.folder.read import read_tensors
from backend.graph.network import build_graph
from backend.graph.onnx_file import to_bytes
from tests.support.backend.reading import mapped

FOLDER = model_folder(None)


@pytest.fixture(scope="session")
def card():
    return ModelCard.load(FOLDER / CARD)


def test_the_file_is_built_from_the_weights(card):
    assert card.network.sha256, "run python -m training.export_onnx resources/models/sardino-s1-small"
    built = to_bytes(build_graph(card, read_tensors(FOLDER, card)))
    assert hashlib.sha256(built).hexdigest() == card.network.sha256
    assert card.network.known.keys() == set(card.network.outputs)
    # The plugin's zip has the weights alone.
    assert not (FOLDER / NETWORK).exists() or (FOLDER / NETWORK).read_bytes() == built


def test_the_map_is_that_of_pytorch(sample_scene, tmp_path):
    pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")
    with rasterio.open(sample_scene) as file:
        window = Window(100, 100, 250, 250)
        profile = {**file.profile, "width": 250, "height": 250, "transform": file.window_transform(window)}
        values, tags = file.read(window=window), (file.descriptions, file.scales, file.offsets)
    with rasterio.open(tmp_path / "scene.tif", "w", **profile) as file:
        file.write(values)
        file.descriptions, file.scales, file.offsets = tags
    maps = [mapped(FOLDER, tmp_path / "scene.tif", tmp_path, engine)[0] for engine in ("pytorch", "openvino")]
    assert (maps[0] == maps[1]).mean() > 0.999 and len(set(maps[0].ravel())) > 1
