"""How layers look on the desktop after a run."""

from __future__ import annotations

import gc
import os

import pytest
from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProject, QgsRasterLayer

from sardino_qgis import styling


@pytest.fixture
def layer(qgis_app, scene):
    layer = QgsRasterLayer(str(scene), "scene")
    assert layer.isValid()
    yield layer
    del layer


def test_ramp_spans_the_percentiles(layer):
    styling.STRETCH_STYLER.postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
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


def test_style_file_beside_the_raster_wins(layer, scene):
    renderer = layer.renderer().type()
    layer.saveNamedStyle(str(scene.with_suffix(".qml")))
    styling.STRETCH_STYLER.postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    assert layer.renderer().type() == renderer != "singlebandpseudocolor"


def test_broken_style_file_is_passed_over(layer, scene):
    scene.with_suffix(".qml").write_text("<qgis")
    styling.STRETCH_STYLER.postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    assert layer.renderer().type() == "singlebandpseudocolor"


def test_no_style_file_leaves_the_colours_of_the_file(layer):
    before = layer.renderer().type()
    styling.QML_STYLER.postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    assert layer.renderer().type() == before


def test_styler_is_called_after_the_algorithm_is_gone(provider, scene, tmp_path, script, monkeypatch):
    """As the desktop does: run, drop the algorithm, collect garbage, then post-process the details QGIS kept."""
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
