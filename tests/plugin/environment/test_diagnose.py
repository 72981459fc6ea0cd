"""Test the text of the diagnostics."""

from __future__ import annotations

from pathlib import Path

from sardino_qgis.environment import locate
from sardino_qgis.environment.diagnose import report


def test_diagnostics_say_how_to_get_a_missing_backend(no_interpreter):
    text = report()
    assert "QGIS: 3." in text and "Backend: none." in text and "Set up backend…" in text
    assert str(Path.home()) + "/" not in text or str(Path.home()) == "/"


def test_diagnostics_say_why_a_backend_fails(no_interpreter, script):
    locate.store_interpreter(str(script("import sys; sys.exit('ImportError: no torch')", "python")))
    assert "it fails: ImportError: no torch" in report()
