"""The engine is chosen by model and device; what can't run is refused, and auto falls back to PyTorch."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

import backend.engines.choice
from backend.core.errors import InputError, ModelError, ResourceError
from backend.engines import graphics
from backend.engines.choice import check_engine, engines_for
from tests.backend.conftest import tiny_card
from tests.support.backend.reading import mapped

pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")


def test_auto_takes_the_best_that_is_installed(monkeypatch):
    there = {"openvino", "onnxruntime", "pytorch"}
    monkeypatch.setattr(backend.engines.choice, "installed", lambda engine: engine in there)
    monkeypatch.setattr(backend.engines.choice, "may_find_card", lambda: False)
    assert engines_for("auto", "auto") == engines_for("auto", "cpu") == ("openvino", "onnxruntime", "pytorch")
    assert engines_for("auto", "cuda") == ("pytorch",)
    assert engines_for("onnxruntime", "auto") == ("onnxruntime",)
    there.remove("openvino")
    assert engines_for("auto", "auto") == ("onnxruntime", "pytorch")
    there.clear()
    with pytest.raises(ResourceError, match="No package that runs a model is installed"):
        engines_for("auto", "auto")


@pytest.mark.parametrize(("devices", "first"), [(["cuda", "cpu"], "pytorch"), (["cpu"], "openvino")])
def test_pytorch_is_asked_for_a_card_only_where_one_may_be(monkeypatch, devices, first):
    import backend.engines.pytorch

    monkeypatch.setattr(backend.engines.choice, "may_find_card", lambda: True)
    monkeypatch.setattr(backend.engines.pytorch, "available_devices", lambda: devices)
    assert engines_for("auto", "auto")[0] == first
    assert engines_for("auto", "cpu")[0] == "openvino"


@pytest.mark.parametrize(
    ("text", "driver", "found"),
    [
        ("cuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n", True, True),
        ("cuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n", False, False),
        ("cuda: Optional[str] = None\nhip: Optional[str] = None\n", True, False),
        ("cuda = None\nhip = '6.1'\n", True, True),
    ],
)
def test_a_card_is_looked_for_without_importing_pytorch(monkeypatch, tmp_path, text, driver, found):
    (tmp_path / "version.py").write_text(text)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(graphics, "_version_file", lambda: tmp_path / "version.py")
    monkeypatch.setattr(graphics, "_loads", lambda library: driver)
    assert graphics.may_find_card() is found
    monkeypatch.setattr(graphics, "_version_file", lambda: None)
    assert not graphics.may_find_card()


@pytest.mark.parametrize("extent", [None, (500_000, 4_599_900, 500_100, 4_600_000)])
def test_auto_is_one_engine_for_a_raster_and_its_parts(tiny_model, make_raster, scene_db, tmp_path, extent):
    _, _, facts, _ = mapped(tiny_model, make_raster(scene_db(70, 90)), tmp_path, "auto", device="cpu", extent=extent)
    assert facts["engine"] == "openvino"


def test_an_engine_that_cannot_run_is_refused(monkeypatch):
    card = tiny_card()
    check_engine("openvino", "auto", card)
    with pytest.raises(InputError, match="runs on processors"):
        check_engine("openvino", "cuda", card)
    forest = replace(card, arch=replace(card.arch, head="forest", windows=(3,)))
    check_engine("openvino", "auto", forest)
    with pytest.raises(ModelError, match="no ranges") as refusal:
        check_engine("openvino-int8", "cpu", forest)
    assert "own classes have none" in refusal.value.hint
    with pytest.raises(ModelError, match="no ranges") as refusal:
        check_engine("openvino-int8", "cpu", card)
    assert "training.quantise" in refusal.value.hint
    monkeypatch.setattr(backend.engines.choice, "installed", lambda engine: False)
    with pytest.raises(ResourceError, match="not installed") as refusal:
        check_engine("openvino", "auto", card)
    assert "pip install openvino" in refusal.value.hint
    with pytest.raises(ResourceError, match="the package torch") as refusal:
        check_engine("pytorch", "cpu", card)
    assert "With PyTorch" in refusal.value.hint
    assert "python3 -m sardino_qgis.environment install --kind pytorch" in refusal.value.hint
    with pytest.raises(ResourceError, match="needs PyTorch") as refusal:
        check_engine("auto", "cuda", card)
    assert "set up the backend with PyTorch" in refusal.value.hint


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

    monkeypatch.setattr(module, "to_bytes", broken)
    monkeypatch.setattr(backend.engines.choice, "installed", lambda engine: engine != "onnxruntime")
    scene = make_raster(scene_db(70, 70))
    _, _, facts, lines = mapped(tiny_model, scene, tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert [text for level, text in lines if level == "warning"] == [
        f"{module.NAME} can't run this model (an operation that it doesn't know). PyTorch runs it instead."
    ]
    with pytest.raises(ResourceError, match="can't run this model"):
        mapped(tiny_model, scene, tmp_path, "openvino")


def test_auto_refuses_another_result(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    import backend.engines.openvino as module

    right = module.Compiled.outputs
    monkeypatch.setattr(module.Compiled, "outputs", lambda self, tile: [each + 0.001 for each in right(self, tile)])
    monkeypatch.setattr(backend.engines.choice, "installed", lambda engine: engine != "onnxruntime")
    _, _, facts, lines = mapped(tiny_model, make_raster(scene_db(70, 70)), tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert any("differs from PyTorch by" in text for level, text in lines if level == "warning")


def test_auto_survives_a_broken_installation(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "backend.engines.openvino", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(backend.engines.choice, "installed", lambda engine: engine != "onnxruntime")
    _, _, facts, lines = mapped(tiny_model, make_raster(scene_db(70, 70)), tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert any("can't be loaded" in text for level, text in lines if level == "warning")
