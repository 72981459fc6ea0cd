"""Test how the desktop loads results of real runs: styles, groups, metadata, batches."""

from __future__ import annotations

import gc
import re
import time

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsProxyProgressTask,
    QgsRasterLayer,
)
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QTextEdit

from sardino_qgis.layers.styling import MADE_FROM


def is_stretched_between_its_percentiles(layer):
    values = gdal.Open(layer.source()).ReadAsArray()
    renderer = layer.renderer()
    assert renderer.type() == "singlebandpseudocolor"
    low, high = renderer.classificationMin(), renderer.classificationMax()
    assert [low, high] == pytest.approx(list(np.percentile(values[np.isfinite(values)], [2, 98])), rel=0.02)
    colours = [sum(renderer.shader().rasterShaderFunction().shade(v)[1:4]) for v in np.linspace(low, high, 5)]
    assert colours == sorted(colours), "light where there is much attention"


def test_results_are_loaded_styled_and_described(scene, tmp_path, layer_panel):
    """Load results as Processing does after a run on the desktop."""
    source = QgsRasterLayer(str(scene), "scene")
    QgsProject.instance().addMapLayer(source)
    names = {"OUTPUT": "Land cover", "OUTPUT_CONFIDENCE": "my own name"}
    given = {k: QgsProcessingOutputLayerDefinition(str(tmp_path / f"{k}.tif"), QgsProject.instance()) for k in names}
    for key, definition in given.items():
        definition.destinationName = names[key]
    processing.runAndLoadResults("sardino:landcover", {"INPUT": source, "MODEL": "tiny", **given})
    layers = {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}
    assert set(layers) == {"scene", "Land cover: scene (tiny)", "my own name"}
    assert layers["my own name"].customProperty(MADE_FROM) == source.id()
    confidence = layers["my own name"].renderer()
    assert layers["Land cover: scene (tiny)"].renderer().type() == "paletted"
    assert confidence.type() == "singlebandpseudocolor"
    assert (confidence.classificationMin(), confidence.classificationMax()) == (0, 1)
    history = layers["my own name"].metadata().history()[0]
    assert "model tiny" in history and re.match(r"\d{4}-\d\d-\d\dT", history)
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    assert group.name() == "Land cover from SAR: scene (tiny)"
    assert [node.name() for node in group.children()] == ["Land cover: scene (tiny)", "my own name"]
    QgsApplication.processEvents()
    (node,) = [node for node in group.children() if node.name() == "Land cover: scene (tiny)"]
    assert layer_panel.isExpanded(layer_panel.node2index(node)), "the legend is unfolded"
    tags = gdal.Open(str(tmp_path / "OUTPUT_CONFIDENCE.tif")).GetMetadata()
    assert tags["SARDINO_MODEL"] == "tiny" and tags["TIFFTAG_SOFTWARE"].startswith("SAR Land Cover (DINO) ")
    assert tags["TIFFTAG_IMAGEDESCRIPTION"] == "confidence of scene.tif by the model tiny"
    del layers, confidence, source


def test_second_run_in_a_session_loads_its_layers(scene, tmp_path, layer_panel):
    for number in range(2):
        path = str(tmp_path / f"{number}.tif")
        given = QgsProcessingOutputLayerDefinition(path, QgsProject.instance())
        given.destinationName = f"run {number}"
        processing.runAndLoadResults("sardino:attention", {"INPUT": str(scene), "MODEL": "tiny", "OUTPUT": given})
        gc.collect()
    layers = list(QgsProject.instance().mapLayers().values())
    assert len(layers) == 2
    for layer in layers:
        assert layer.renderer().opacity() < 1, "the scene is seen through it"
        is_stretched_between_its_percentiles(layer)
    del layers, layer


def test_batch_runs_each_row_with_its_own_model(scene, model, tmp_path, layer_panel):
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog

    dialog = BatchAlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById("sardino:landcover"), None)
    rows = dialog.mainWidget()
    rows.addRow()
    for row, value in enumerate(("tiny", str(model))):
        for name, given in (("INPUT", str(scene)), ("MODEL", value)):
            rows.wrappers[row][rows.parameter_to_column[name]].setParameterValue(given, QgsProcessingContext())
        column = rows.parameter_to_column["OUTPUT"]
        rows.tblParameters.cellWidget(row + 1, column).setValue(str(tmp_path / f"{row}.tif"))
    rows.checkLoadLayersOnCompletion.setChecked(True)
    dialog.runAlgorithm()
    deadline = time.monotonic() + 120  # newer versions of QGIS run batches in the background
    tasks = QgsApplication.taskManager()
    while not ((tmp_path / "1.tif").exists() and (sip.isdeleted(dialog) or tasks.countActiveTasks() == 0)):
        QgsApplication.processEvents()
        assert time.monotonic() < deadline
    if not sip.isdeleted(dialog):
        said = dialog.findChild(QTextEdit, "txtLog").toPlainText()
        assert "not correctly generated" not in said, "of outputs that were not asked for"
    for row in range(2):
        assert gdal.Open(str(tmp_path / f"{row}.tif")).GetMetadata()["SARDINO_MODEL"] == "tiny"
    loaded = list(QgsProject.instance().mapLayers().values())
    assert [layer.metadata().history() != [] for layer in loaded] == [True, True], "styled and described"
    assert len(QgsProject.instance().layerTreeRoot().findLayers()) == 2
    del loaded
    if not sip.isdeleted(dialog):  # newer versions close it after a batch without errors
        dialog.close()
        dialog.deleteLater()
    for task in tasks.activeTasks():  # QGIS 3.44 leaves the progress of the batch
        sip.cast(task, QgsProxyProgressTask).finalize(True)
