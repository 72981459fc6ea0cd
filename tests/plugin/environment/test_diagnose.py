"""Test the text of the diagnostics."""

from __future__ import annotations

from pathlib import Path

import pytest

from sardino_qgis.environment import locate
from sardino_qgis.environment.diagnose import report


def test_diagnostics_say_how_to_get_a_missing_backend(no_interpreter):
    text = report()
    assert "QGIS: 3." in text and "Backend: none." in text and "Set up backend…" in text
    assert str(Path.home()) + "/" not in text or str(Path.home()) == "/"


def test_diagnostics_say_why_a_backend_fails(no_interpreter, script):
    locate.store_interpreter(str(script("import sys; sys.exit('ImportError: no torch')", "python")))
    assert "it fails: ImportError: no torch" in report()


@pytest.mark.parametrize(
    ("torch", "said"), [(None, "Installation: For mapping"), ("2.13.0", "Installation: With PyTorch: for NVIDIA")]
)
def test_diagnostics_tell_the_kind_of_installation(no_interpreter, script, torch, said):
    facts = {
        "versions": {"torch": torch, "rasterio": None, "openvino": "1", "onnxruntime": None},
        "device": "cpu",
        "devices": ["cpu"],
        "models": [],
    }
    locate.store_interpreter(str(script(f"import json; print(json.dumps({facts!r}))", "python")))
    text = report()
    assert said in text and "rasterio: missing" in text and text.count(": missing") == 1
