"""Test runs that can't start, or whose backend fails."""

from __future__ import annotations

import processing
import pytest
from qgis.core import QgsProcessingContext, QgsProcessingException, QgsRasterLayer


def test_web_layers_are_refused_before_the_run(provider, calls, tmp_path):
    layer = QgsRasterLayer("type=xyz&url=file:///nowhere/{z}/{x}/{y}.png&zmax=3&zmin=0", "map", "wms")
    assert layer.isValid()
    algorithm = provider.algorithm("landcover").create()
    given = {"INPUT": layer, "OUTPUT": str(tmp_path / "o.tif")}
    good, why = algorithm.checkParameterValues(given, QgsProcessingContext())
    assert not good and "not from a raster file" in why
    with pytest.raises(QgsProcessingException, match="not from a raster file"):
        processing.run("sardino:landcover", given)
    del layer, given


def test_missing_interpreter_is_reported_before_and_in_a_run(no_interpreter, provider, scene, tmp_path):
    can, why = provider.algorithm("landcover").canExecute()
    assert not can
    assert "Set up backend…" in why and "SARDINO_PYTHON" in why
    with pytest.raises(QgsProcessingException, match="Set up backend…"):
        processing.run("sardino:landcover", {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif")})


def test_refusal_of_the_worker_is_an_exception(provider, scene, tmp_path, script, monkeypatch):
    body = """
        import json, sys
        print(json.dumps({"event": "error", "message": "too dark", "hint": "more light"}))
        sys.exit(1)
    """
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "refuser")))
    with pytest.raises(QgsProcessingException, match="too dark\nmore light"):
        processing.run("sardino:landcover", {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif")})


def test_success_without_a_file_is_an_exception(provider, scene, tmp_path, script, monkeypatch):
    body = "import json\nprint(json.dumps({'event': 'result', 'outputs': {}}))"
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "liar")))
    with pytest.raises(QgsProcessingException, match="does not exist"):
        processing.run("sardino:landcover", {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif")})


def test_cancel_is_not_called_a_failure_on_a_desktop(provider, scene, tmp_path, script, monkeypatch, feedback):
    """QGIS writes "Execution failed" for an exception; a shell must not take a cancel for a success."""
    monkeypatch.setenv("SARDINO_PYTHON", str(script("import time\ntime.sleep(60)", "slow")))
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif")}
    feedback.cancel()
    context = QgsProcessingContext()
    assert provider.algorithm("landcover").create().run(given, context, feedback)[1] is False
    monkeypatch.setattr(provider, "offer_setup", lambda: "", raising=False)
    results, good = provider.algorithm("landcover").create().run(given, context, feedback)
    assert good and results == {} and feedback.infos[-1] == "Cancelled."
