"""The engine is chosen by model and device; what can't run is refused, and auto falls back to PyTorch."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch

import backend.engines.choice
import backend.engines.factory
from backend.core.errors import InputError, ModelError, ResourceError
from backend.engines.choice import check_engine, choose_engine
from tests.backend.conftest import tiny_card
from tests.backend.reading import mapped

pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")

CPU = torch.device("cpu")


def test_auto_takes_openvino_on_processors(monkeypatch):
    card = tiny_card()
    assert choose_engine("auto", CPU, card) == "openvino"
    assert choose_engine("auto", torch.device("cuda"), card) == "pytorch"
    forest = replace(card, arch=replace(card.arch, head="forest", windows=(3,)))
    assert choose_engine("auto", CPU, forest) == "pytorch"
    monkeypatch.setattr(backend.engines.choice, "installed", lambda: False)
    assert choose_engine("auto", CPU, card) == "pytorch"


@pytest.mark.parametrize("extent", [None, (500_000, 4_599_900, 500_100, 4_600_000)])
def test_auto_is_one_engine_for_a_raster_and_its_parts(tiny_model, make_raster, scene_db, tmp_path, extent):
    _, _, facts, _ = mapped(tiny_model, make_raster(scene_db(70, 90)), tmp_path, "auto", device="cpu", extent=extent)
    assert facts["engine"] == "openvino"


def test_an_engine_that_cannot_run_is_refused(monkeypatch):
    card = tiny_card()
    check_engine("openvino", "auto", card)
    with pytest.raises(InputError, match="runs on processors"):
        check_engine("openvino", "cuda", card)
    with pytest.raises(ModelError, match="no ranges") as refusal:
        check_engine("openvino-int8", "cpu", card)
    assert "training.quantise" in refusal.value.hint
    monkeypatch.setattr(backend.engines.choice, "installed", lambda: False)
    with pytest.raises(ResourceError, match="not installed") as refusal:
        check_engine("openvino", "auto", card)
    assert "pip install openvino" in refusal.value.hint


def test_command_line_refuses_eight_bits_without_ranges(cli, tiny_model, make_raster, scene_db, tmp_path):
    output = tmp_path / "out.tif"
    code, _, err = cli(
        "landcover", make_raster(scene_db(70, 70)), output, "--model", tiny_model, "--engine", "openvino-int8"
    )
    assert code == 1 and err.count("\n") == 1 and "no ranges" in err
    assert not output.exists()


def test_auto_falls_back_to_pytorch(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    import backend.engines.openvino as module

    def broken(*_):
        raise RuntimeError("an operation that it doesn't know\nand more")

    monkeypatch.setattr(module, "_convert", broken)
    scene = make_raster(scene_db(70, 70))
    _, _, facts, lines = mapped(tiny_model, scene, tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert [text for level, text in lines if level == "warning"] == [
        "OpenVINO can't run this model (an operation that it doesn't know). PyTorch runs it instead."
    ]
    with pytest.raises(ResourceError, match="can't run this model"):
        mapped(tiny_model, scene, tmp_path, "openvino")


def test_auto_refuses_another_result(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    import backend.engines.openvino as module

    right = module.Converted.answer
    monkeypatch.setattr(module.Converted, "answer", lambda self, tile: right(self, tile) + 0.001)
    _, _, facts, lines = mapped(tiny_model, make_raster(scene_db(70, 70)), tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert any("differs from PyTorch by" in text for level, text in lines if level == "warning")


def test_auto_survives_a_broken_installation(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "backend.engines.openvino", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(backend.engines.choice, "installed", lambda: True)
    _, _, facts, lines = mapped(tiny_model, make_raster(scene_db(70, 70)), tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert any("can't be loaded" in text for level, text in lines if level == "warning")
