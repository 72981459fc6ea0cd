"""Test loading, the menu, and unloading without remains."""

from __future__ import annotations

import os

from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QObject
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QApplication, QFileDialog, QMessageBox

import sardino_qgis
from sardino_qgis.environment import locate

NAMES = ("landcover", "attention", "embeddings", "similarity", "trainclassifier", "accuracy", "calibrate",
         "change", "sarchange")  # fmt: skip
ALGORITHMS = {f"sardino:{name}" for name in NAMES}


def providers():
    return {p.id() for p in QgsApplication.processingRegistry().providers()}


def test_plugin_loads_and_unloads_repeatedly(desktop, qgis_processing):
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


def test_legends_are_completed_while_the_plugin_is_loaded(desktop, qgis_processing, qgis_new_project, tmp_path):
    """A map that was copied without its sidecars: the names are in a tag."""
    path = str(tmp_path / "map.tif")
    data = gdal.GetDriverByName("GTiff").Create(path, 4, 4, 1)
    colours = gdal.ColorTable()
    colours.SetColorEntry(80, (0, 0, 255))
    data.GetRasterBand(1).SetColorTable(colours)
    data.SetMetadataItem("SARDINO_CLASSES", '[[80, "Water", "#0000ff"]]')
    data = None
    plugin = sardino_qgis.classFactory(desktop)
    for loaded, found in ((True, ["Water"]), (False, [str(value) for value in range(256)])):
        if loaded:
            plugin.initGui()
        layer = QgsRasterLayer(path, "map")
        QgsProject.instance().addMapLayer(layer)
        assert [item.label for item in layer.renderer().classes()] == found
        plugin.unload()
    del layer


def things_of(desktop):
    """Collect what a plugin could leave behind: windows, children, map items, tasks, the map tool, files."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    return {
        "windows": sorted(
            f"{type(widget).__name__} {widget.windowTitle()}"
            for widget in QApplication.topLevelWidgets()
            if type(widget).__module__.startswith("sardino_qgis") or "SAR" in getattr(widget, "title", str)()
        ),
        "children": sorted(type(child).__name__ for child in desktop.window.findChildren(QObject)),
        "map items": len(desktop.canvas.scene().items()),
        "tasks": len(QgsApplication.taskManager().activeTasks()),
        "tool": type(desktop.canvas.mapTool()).__name__,
        "files": sorted(os.listdir(QgsProcessingUtils.tempFolder())),
    }


def test_unloading_removes_open_windows_and_workers(desktop, qgis_processing, monkeypatch, script):
    monkeypatch.setenv("SARDINO_PYTHON", str(script("import sys\nsys.stdin.read()", "idle")))
    plugin = sardino_qgis.classFactory(desktop)
    before = things_of(desktop)
    for _ in range(2):
        plugin.initGui()
        plugin.similarity.action.trigger()  # which starts its worker
        plugin.show_models()
        client = plugin.warm_pool._shared
        process = client._worker.process
        assert client.running() and desktop.canvas.mapTool() is plugin.similarity.tool
        assert things_of(desktop) != before
        plugin.unload()
        plugin.unload()
        assert process.poll() is not None, "the worker has ended"
        assert things_of(desktop) == before


def test_help_opens_the_shipped_pages(desktop, qgis_processing, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    plugin = sardino_qgis.classFactory(desktop)
    plugin.initGui()
    plugin.show_help()
    assert os.path.isfile(opened[0]) and os.path.basename(opened[0]).startswith("index.")
    plugin.unload()


def test_sample_scene_is_loaded_from_the_menu(desktop, qgis_processing, qgis_new_project):
    plugin = sardino_qgis.classFactory(desktop)
    plugin.initGui()
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32632"))
    (action,) = [action for action in plugin.menu.actions() if action.text() == "Load sample scene"]
    action.trigger()
    plugin.unload()
    layer = desktop.activeLayer()
    assert layer.isValid() and layer.name() == "Simulated sample scene" and layer.bandCount() == 2
    assert desktop.canvas.extent().contains(layer.extent().center())
    del layer


def test_plugin_loads_without_a_desktop(qgis_app, qgis_processing):
    plugin = sardino_qgis.classFactory(None)
    plugin.initProcessing()
    assert "sardino" in providers()
    plugin.unload()
    assert "sardino" not in providers()


def test_provider_has_name_icon_and_algorithms(provider):
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
        "Find similar places", "Load sample scene", "Models…", "Set up backend…", "Choose Python interpreter…",
        "Diagnostics…", "Help",
    ]  # fmt: skip
    assert not any(action.icon().isNull() for action in plugin.menu.actions() if action.text())
    plugin.choose_interpreter()
    assert not said and locate.stored_interpreter() == ""
    plugin.choose_interpreter()
    assert "not executable" in said.pop() and locate.stored_interpreter() == ""
    plugin.choose_interpreter()
    assert locate.stored_interpreter() == chosen
    assert plugin.diagnostics_dialog.isVisible(), "what was chosen is shown"
    plugin.unload()
