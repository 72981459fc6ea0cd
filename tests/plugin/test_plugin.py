"""Loading, the menu, and unloading without leftovers."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtWidgets import QFileDialog, QMessageBox

import sardino_qgis
from sardino_qgis import environment

ALGORITHMS = {
    f"sardino:{name}" for name in ("landcover", "attention", "embeddings", "similarity", "accuracy", "calibrate")
}


def providers():
    return {p.id() for p in QgsApplication.processingRegistry().providers()}


def test_loads_and_unloads_without_leftovers_more_than_once(desktop, qgis_processing):
    before = providers()
    plugin = sardino_qgis.classFactory(desktop)
    for _ in range(2):
        plugin.initGui()
        plugin.initProcessing()
        assert providers() == before | {"sardino"}
        assert [action.text() for action in desktop.menu.actions()] == ["SAR Land Cover (DINO)"]
        assert [action.text() for action in desktop.toolbar.actions()] == ["Find similar places"]
        plugin.unload()
        assert providers() == before
        assert desktop.menu.actions() == [] and desktop.toolbar.actions() == []


def test_without_a_desktop(qgis_app, qgis_processing):
    plugin = sardino_qgis.classFactory(None)
    plugin.initProcessing()
    assert "sardino" in providers()
    plugin.unload()
    assert "sardino" not in providers()


def test_provider_bears_name_icon_and_algorithms(provider):
    assert provider.name() == "SAR Land Cover (DINO)"
    assert not provider.icon().isNull()
    assert {a.id() for a in provider.algorithms()} == ALGORITHMS
    assert provider.supportedOutputRasterLayerExtensions() == ["tif", "tiff"]


def test_interpreter_is_chosen_in_the_menu(no_interpreter, qgis_processing, monkeypatch, script, desktop):
    said = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *a: said.append(a[-1]))
    chosen = str(script("", "python"))
    answers = iter(["", __file__, chosen])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (next(answers), ""))
    plugin = sardino_qgis.classFactory(desktop)
    plugin.initGui()
    assert [action.text() for action in plugin.menu.actions() if action.text()] == [
        "Find similar places", "Set up backend…", "Choose Python interpreter…", "Diagnostics…",
    ]  # fmt: skip
    plugin.choose_interpreter()
    assert not said and environment.stored_interpreter() == ""
    plugin.choose_interpreter()
    assert "may not be executed" in said.pop() and environment.stored_interpreter() == ""
    plugin.choose_interpreter()
    assert environment.stored_interpreter() == chosen
    assert plugin.diagnostics_dialog.isVisible(), "what was chosen is shown"
    plugin.unload()
