"""Test how layers look on the desktop after a run."""

from __future__ import annotations

import gc
import os

import pytest
from osgeo import gdal
from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProject, QgsRasterLayer

from sardino_qgis.layers import styling
from sardino_qgis.layers.metadata import describe


@pytest.fixture
def layer(qgis_app, scene):
    layer = QgsRasterLayer(str(scene), "scene")
    assert layer.isValid()
    yield layer
    del layer


def test_ramp_spans_the_percentiles(layer):
    styling.StretchStyler().postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    renderer = layer.renderer()
    assert renderer.type() == "singlebandpseudocolor"
    # VV of the scene is N(-12, 2): 2 % and 98 % lie 2.05 deviations from the mean.
    assert renderer.classificationMin() == pytest.approx(-16.1, abs=0.4)
    assert renderer.classificationMax() == pytest.approx(-7.9, abs=0.4)
    low, high = (
        renderer.shader().rasterShaderFunction().shade(value)[1:4]
        for value in (renderer.classificationMin(), renderer.classificationMax())
    )
    assert sum(low) < 30 and sum(high) > 600


def test_style_file_of_the_raster_is_applied(layer, scene):
    renderer = layer.renderer().type()
    layer.saveNamedStyle(str(scene.with_suffix(".qml")))
    styling.StretchStyler().postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    assert layer.renderer().type() == renderer != "singlebandpseudocolor"


def test_broken_style_file_is_ignored(layer, scene):
    scene.with_suffix(".qml").write_text("<qgis")
    styling.StretchStyler().postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    assert layer.renderer().type() == "singlebandpseudocolor"


def test_without_a_style_file_the_file_colours_stay(layer):
    before = layer.renderer().type()
    styling.QmlStyler().postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    assert layer.renderer().type() == before


def tag(path, **tags):
    data = gdal.Open(str(path), gdal.GA_Update)
    data.SetMetadata({f"SARDINO_{key}": value for key, value in tags.items()})
    del data


@pytest.mark.parametrize("styler", [styling.QmlStyler, styling.StretchStyler])
def test_layers_have_their_origin_in_the_metadata(scene, qgis_app, styler):
    tag(scene, VERSION="9.9", MODEL="tiny", MODEL_SHA256="abc", INPUT="s1.tif", OUTPUT="confidence", DATE="2024-05-06")
    layer = QgsRasterLayer(str(scene), "Confidence")
    styler().postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    metadata = layer.metadata()
    assert metadata.title() == "Confidence" and metadata.type() == "dataset"
    assert "'confidence'" in metadata.abstract() and "s1.tif" in metadata.abstract()
    assert all(word in metadata.history()[0] for word in ("2024-05-06", "9.9", "tiny", "abc"))
    assert metadata.crs() == layer.crs()
    assert metadata.extent().spatialExtents()[0].bounds.xMinimum() == layer.extent().xMinimum()
    # What the Information page of the layer's properties shows.
    assert "made by SAR Land Cover" in layer.htmlMetadata()
    del layer


def test_layers_of_other_origin_keep_their_metadata(layer):
    before = layer.metadata()
    assert not describe(layer) and layer.metadata() == before


def test_results_are_grouped(qgis_app):
    top, below = (QgsProcessingContext.LayerDetails(n, QgsProject.instance(), n) for n in ("cover", "confidence"))
    stylers = [styling.QmlStyler(), styling.StretchStyler()]
    styling.group([top, below], stylers, "Land cover from SAR: scene")
    if Qgis.QGIS_VERSION_INT >= 33200:
        assert below.groupName == "Land cover from SAR: scene"
        assert top.layerSortKey > below.layerSortKey
        styling.group([below], stylers[1:], "another")
        assert below.groupName == "Land cover from SAR: scene" and not stylers[0].group
    else:
        assert [(s.group, s.on_top) for s in stylers] == [("Land cover from SAR: scene", top) for top in (True, False)]


def test_layers_are_moved_into_a_neighbouring_group(qgis_new_project, scene):
    root = QgsProject.instance().layerTreeRoot()
    results = root.insertGroup(0, "Results")  # as Processing can be set to have one
    layers = [QgsRasterLayer(str(scene), name) for name in ("confidence", "cover", "second run")]
    for layer in layers:
        QgsProject.instance().addMapLayer(layer, False)
        results.addLayer(layer)
    for layer in layers:
        styling.move_to_group(layer, "Land cover: scene", on_top=layer.name() == "cover")
    (made,) = results.children()
    assert made.name() == "Land cover: scene"
    assert [node.name() for node in made.children()] == ["cover", "confidence", "second run"]
    assert len(QgsProject.instance().mapLayers()) == 3, "none was lost on the way"
    del layers, layer


def test_layer_in_the_group_already_stays_there(qgis_new_project, scene):
    """Add the layer next to the selected one, which is inside the group after the first result was moved."""
    root = QgsProject.instance().layerTreeRoot()
    group = root.insertGroup(0, "Land cover: scene")
    for name in ("confidence", "cover"):
        layer = QgsRasterLayer(str(scene), name)
        QgsProject.instance().addMapLayer(layer, False)
        group.insertLayer(0 if name == "confidence" else 1, layer)
        styling.move_to_group(layer, "Land cover: scene", on_top=name == "cover")
    assert [node.name() for node in root.children()] == ["Land cover: scene"]
    assert [node.name() for node in group.children()] == ["cover", "confidence"]
    del layer


def test_styler_outlives_the_algorithm(provider, scene, tmp_path, script, monkeypatch):
    """Run, delete the algorithm, collect garbage, then post-process the details that QGIS kept, as the desktop does."""
    body = """
        import json, shutil, sys
        shutil.copy(sys.argv[4], sys.argv[5])  # after "-m backend attention"
        print(json.dumps({"event": "result", "outputs": {"output": sys.argv[5]}}))
    """
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "copyist")))
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    output = str(tmp_path / "attention.tif")
    details = QgsProcessingContext.LayerDetails("Attention", QgsProject.instance(), "OUTPUT")
    context.addLayerToLoadOnCompletion(output, details)
    algorithm = provider.algorithm("attention").create()
    results, good = algorithm.run({"INPUT": str(scene), "OUTPUT": output}, context, QgsProcessingFeedback(False))
    assert good and os.path.isfile(results["OUTPUT"])
    del algorithm
    gc.collect()
    made = QgsRasterLayer(output, "Attention")
    context.layerToLoadOnCompletionDetails(output).postProcessor().postProcessLayer(made, context, None)
    assert made.renderer().type() == "singlebandpseudocolor"
    del made
