"""Test the tool that draws samples by a click: real canvas, real worker, the bundled model, and training on them."""

from __future__ import annotations

import time

import numpy as np
import processing
import pytest
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
)

from sardino_qgis.layers.samples import samples_of
from tests.support.plugin.map_tool import click, idle, wait

pytestmark = pytest.mark.usefixtures("qgis_processing")


@pytest.fixture
def islands(make_scene):
    """Dark water with two bright islands of 0.4 km; 192 x 128 pixels of 10 m."""
    rng = np.random.default_rng(5)
    level = np.full((128, 192), -22.0)
    level[40:88, 24:72] = level[40:88, 120:168] = -7.0
    return make_scene(level + rng.normal(0, 1.0, level.shape))


@pytest.fixture
def desk(desk_with, islands, warm):
    desktop = desk_with(islands)
    desktop.tool = desktop.plugin.outline.tool
    desktop.tool._pool = warm
    desktop.plugin.outline.action.trigger()
    return desktop


WEST, EAST, WATER = (400_480, 5_199_360), (401_440, 5_199_360), (400_960, 5_199_360)


def ask(desk, place):
    """Click, and return the seconds until the outline is shown."""
    before, began = desk.tool._answer, time.monotonic()
    click(desk, *place)
    wait(lambda: desk.tool._task is None and desk.tool._answer not in (None, before))
    return time.monotonic() - began


def test_a_click_outlines_the_connected_place(desk, tmp_path):
    panel = desk.tool.panel
    assert desk.canvas.mapTool() is desk.tool and not panel.isHidden() and not panel.button.isEnabled()
    first = ask(desk, WEST)
    outline = desk.tool.outline()
    assert outline.isGeosValid() and outline.contains(QgsPointXY(*WEST))
    assert not outline.contains(QgsPointXY(*EAST)), "as bright, but not connected"
    assert not outline.contains(QgsPointXY(*WATER))
    assert 0.5 < outline.area() / 480**2 < 2 and panel.size.text().endswith(" ha") and panel.button.isEnabled()
    assert QgsProject.instance().count() == 1, "no layer of similarity"

    # The slider adjusts it, at once and without the worker; it stays where the user put it.
    began = time.monotonic()
    panel.slider.setValue(panel.slider.value() + 15)
    moved = time.monotonic() - began
    assert 0 < desk.tool.outline().area() < outline.area()
    panel.slider.setValue(panel.slider.minimum())
    assert desk.tool.outline().area() > outline.area()
    chosen = panel.slider.value()
    seconds = [ask(desk, place) for place in (EAST, WEST, WATER, EAST)]
    print(f"first click {first:.2f} s, later {', '.join(f'{s:.3f}' for s in seconds)} s, slider {moved:.3f} s")
    assert min(seconds) < max(0.3, first / 3)  # the latter on a machine that is very busy
    assert panel.slider.value() == chosen
    assert desk.messages() == []


def test_samples_go_into_training(desk, model, settings, tmp_path):
    panel, raster = desk.tool.panel, desk.activeLayer()
    desk.tool.add()
    assert "Click on a place first" in desk.messages()[-1]
    for place, name in ((WEST, "island"), (WATER, "sea"), (EAST, "island")):
        ask(desk, place)
        if name == "island" and samples_of(raster) is None:
            panel.button.click()
            assert "name of the class" in desk.messages()[-1] and samples_of(raster) is None
        panel.classes.setEditText(name)
        panel.classes.lineEdit().returnPressed.emit()
        assert desk.tool.outline().isEmpty() and not panel.button.isEnabled()
        # The samples stand for their scene, as QGIS may make them the active layer.
        desk.setActiveLayer(samples_of(raster))
    layer = samples_of(raster)
    assert [f["class"] for f in layer.getFeatures()] == ["island", "sea", "island"]
    assert all(f.geometry().isGeosValid() for f in layer.getFeatures()) and layer.crs() == raster.crs()
    assert isinstance(layer.renderer(), QgsCategorizedSymbolRenderer)
    assert [c.label() for c in layer.renderer().categories()] == ["island", "sea"]
    assert [panel.classes.itemText(i) for i in range(panel.classes.count())] == ["island", "sea"]
    assert [node.name() for node in QgsProject.instance().layerTreeRoot().children()] == [layer.name(), "scene"]
    results = processing.run(
        "sardino:trainclassifier",
        {
            "INPUT": raster,
            "SAMPLES": layer,
            "FIELD": "class",
            "MODEL": str(model),
            "CHECK": False,
            "OUTPUT": str(tmp_path / "own"),
        },
    )
    assert (tmp_path / "own" / "card.json").is_file() and results["OUTPUT"]
    layer.startEditing()
    desk.tool.ask_about(QgsPointXY(*WEST))
    wait(idle(desk))
    panel.classes.setEditText("island")
    desk.tool.add()
    assert layer.featureCount() == 4 and layer.undoStack().canUndo()
    layer.rollBack()
    del layer, raster


def test_a_refused_place_has_no_outline_of_an_earlier_one(desk):
    ask(desk, WEST)
    desk.tool.ask_about(QgsPointXY(300_000, 5_199_360))
    assert "outside" in desk.messages()[-1] and desk.tool.outline().isEmpty()
    desk.tool.panel.classes.setEditText("island")
    desk.tool.add()
    assert samples_of(desk.activeLayer()) is None and "Click on a place first" in desk.messages()[-1]


def test_nothing_is_left_when_the_tool_is_put_away(desk):
    ask(desk, WEST)
    desk.canvas.setMapTool(desk.plugin.similarity.tool)
    assert desk.tool.outline().isEmpty() and desk.tool.panel.isHidden()
    desk.plugin.unload()
    assert desk.toolbar.actions() == [] and desk.menu.actions() == []


def test_outlines_in_another_map_crs(desk):
    degrees = QgsCoordinateReferenceSystem("EPSG:3857")
    desk.canvas.setDestinationCrs(degrees)
    from qgis.core import QgsCoordinateTransform

    there = QgsCoordinateTransform(desk.activeLayer().crs(), degrees, QgsProject.instance())
    desk.canvas.setExtent(there.transformBoundingBox(desk.activeLayer().extent()))
    desk.tool.ask_about(there.transform(QgsPointXY(*WEST)))
    wait(lambda: not desk.tool.outline().isEmpty())
    assert desk.tool.outline().contains(QgsPointXY(*WEST))
    assert isinstance(desk.tool._band.asGeometry(), QgsGeometry)
