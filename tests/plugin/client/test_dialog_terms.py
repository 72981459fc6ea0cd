"""Test that no message of the backend names an option of the command line that the dialog has another name for."""

from __future__ import annotations

import ast
import re

import pytest

from sardino_qgis.client.dialog_terms import _labels, in_dialog_terms

RASTERS = "'Further rasters of the scene'"
CASES = [
    (
        "Say which it is, --bands 1 0 for VV only (in QGIS: Polarisation of a single band), or give more.",
        "Say which it is, 'Polarisation of a single band': VV, or give more.",
    ),
    ("Name them with --bands, for instance --bands 1 2.", "Name them with 'Bands', for instance 'Bands': 1, 2."),
    ("or --accept-values (in QGIS: Accept implausible values).", "or 'Accept implausible values'."),
    ("Give the other (--with, in QGIS Further rasters of the scene).", f"Give the other {RASTERS}."),
    ("Give 'a.tif' --with 'b.tif', in QGIS as Further rasters of the scene.", f"Give 'a.tif' + 'b.tif' ({RASTERS})."),
    ("`python -m backend calibrate`, in QGIS Calibrate Sentinel-1 GRD.", "'Calibrate Sentinel-1 GRD'."),
    ("or run with --device cpu.", "or run with 'Device': cpu."),
    ("say --units db or amplitude.", "say 'Units': db or amplitude."),
    ("/data/my--bands/x.tif can't be read", "/data/my--bands/x.tif can't be read"),
]


@pytest.mark.parametrize("said, shown", CASES)
def test_options_become_parameters(qgis_app, said, shown):
    assert in_dialog_terms(said) == shown


def test_all_texts_of_the_backend_are_put_in_terms_of_the_dialog(qgis_app, repo_root):
    options, texts = "|".join(_labels()), []
    for path in (repo_root / "backend").rglob("*.py"):
        if path.parent.name == "cli":  # help of the command line
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                texts.append(node.value)
    named = [text for text in texts if re.search(rf"(?<![\w-])({options})(?![\w-])", text)]
    assert len(named) > 15
    left = [text for text in map(in_dialog_terms, named) if re.search(rf"(?<![\w-])({options})(?![\w-])", text)]
    assert not left
