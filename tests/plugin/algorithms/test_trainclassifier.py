"""Test own classes in a real QGIS with a real worker: train on samples, map with the model; refusals and cancel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsRendererCategory,
    QgsSymbol,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QVariant
from qgis.PyQt.QtGui import QColor

from sardino_qgis.environment import locate
from sardino_qgis.models.installed import added_folders, forget_folder, labelled_models
from sardino_qgis.models.trained import chosen_folder
from tests.support.plugin.rasters import write_raster

TOP, LEFT, SIZE = 5_200_000, 400_000, 128
WATER, FOREST = (-21.0, -27.0), (-8.0, -14.0)


@pytest.fixture(autouse=True)
def worker(provider, backend_python, monkeypatch):
    monkeypatch.setenv("SARDINO_PYTHON", backend_python)
    before = added_folders()
    yield
    for folder in set(added_folders()) - set(before):
        forget_folder(folder)


@pytest.fixture
def halves(tmp_path) -> Path:
    """Water on the left, forest on the right, in dB with speckle."""
    rng = np.random.default_rng(3)
    path = tmp_path / "halves.tif"
    values = rng.normal(0, 1.5, (2, SIZE, SIZE)) + np.reshape(FOREST, (2, 1, 1))
    values[:, :, : SIZE // 2] += np.reshape(np.subtract(WATER, FOREST), (2, 1, 1))
    data = write_raster(path, values.astype(np.float32), gdal.GDT_Float32, nodata=None, corner=(LEFT, TOP))
    for number, name in enumerate(("VV", "VH"), 1):
        data.GetRasterBand(number).SetDescription(name)
    data = None
    return path


def layer_of(kind, classes, field="cover", field_type=QVariant.String):
    """Six samples of each class down the middle of its half."""
    layer = QgsVectorLayer(f"{kind}?crs=EPSG:32633", "samples", "memory")
    layer.dataProvider().addAttributes([QgsField(field, field_type)])
    layer.updateFields()
    for number, value in enumerate(classes):
        for row in range(6):
            x, y = LEFT + 10 * (20 + 64 * number), TOP - 10 * (10 + 20 * row)
            feature = QgsFeature(layer.fields())
            square = QgsGeometry.fromRect(QgsRectangle(x, y - 50, x + 50, y))
            feature.setGeometry(square if kind == "Polygon" else QgsGeometry.fromPointXY(QgsPointXY(x + 5, y - 5)))
            feature.setAttributes([value])
            layer.dataProvider().addFeature(feature)
    return layer


@pytest.mark.slow
def test_polygons_train_a_model_that_makes_a_styled_map(halves, tmp_path, feedback, qgis_new_project):
    layer = layer_of("Polygon", ["See", "Wald"])
    symbols = [QgsSymbol.defaultSymbol(layer.geometryType()) for _ in range(2)]
    symbols[0].setColor(QColor("#0000ff"))
    symbols[1].setColor(QColor("#00aa00"))
    names = (("See", "Lake & sea"), ("Wald", "Forest"))
    categories = [QgsRendererCategory(value, s, label) for (value, label), s in zip(names, symbols)]
    layer.setRenderer(QgsCategorizedSymbolRenderer("cover", categories))
    QgsProject.instance().addMapLayer(layer)
    model = tmp_path / "lake-model"
    given = {"INPUT": str(halves), "SAMPLES": layer, "FIELD": "cover", "TITLE": "Lakes", "OUTPUT": str(model)}
    results = processing.run("sardino:trainclassifier", given, feedback=feedback)
    assert results["OUTPUT"] == str(model) and results["ACCURACY"] > 0.95 and results["MEAN_IOU"] > 0.9
    assert results["BLOCKS"] >= 2
    assert sorted(p.name for p in model.iterdir()) == ["card.json", "model.safetensors", "network.onnx"]
    card = json.loads((model / "card.json").read_text())
    assert card["title"] == "Lakes" and card["metrics"]["held_out"]["overall_accuracy"] == results["ACCURACY"]
    assert [(c["value"], c["name"], c["color"]) for c in card["classes"]] == [
        (1, "Lake & sea", "#0000ff"), (2, "Forest", "#00aa00"),
    ]  # fmt: skip
    assert any("F1" in text for text in feedback.infos) and feedback.progress() == 100
    assert ("Lakes", str(model)) in labelled_models()
    output = str(tmp_path / "map.tif")
    processing.run("sardino:landcover", {"INPUT": str(halves), "MODEL": results["OUTPUT"], "OUTPUT": output})
    values = gdal.Open(output).ReadAsArray()
    assert (values[:, :60] == 1).mean() > 0.97 and (values[:, 68:] == 2).mean() > 0.97
    opened = QgsRasterLayer(output, "map")
    legend = {c.value: (c.label, c.color.name()) for c in opened.renderer().classes()}
    del opened
    assert legend == {1: ("Lake & sea", "#0000ff"), 2: ("Forest", "#00aa00")}


def test_selected_points_with_numbers_make_a_model_in_profile(
    halves, tmp_path, feedback, monkeypatch, qgis_new_project
):
    monkeypatch.setattr(locate, "managed_folder", lambda: tmp_path / "profile" / "env")
    layer = layer_of("Point", [7, 80, 99], field_type=QVariant.Int)
    layer.selectByExpression('"cover" < 90')
    QgsProject.instance().addMapLayer(layer)
    given = {
        "INPUT": str(halves),
        "SAMPLES": QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True),
        "FIELD": "cover",
        "CHECK": False,
    }
    results = processing.run("sardino:trainclassifier", given, feedback=feedback)
    folder = tmp_path / "profile" / "models" / "samples"
    assert results["OUTPUT"] == str(folder) and str(folder) in feedback.infos[-1]
    card = json.loads((folder / "card.json").read_text())
    assert [c["value"] for c in card["classes"]] == [7, 80] and "ACCURACY" not in results
    assert ("samples", str(folder)) in labelled_models()
    assert chosen_folder(str(folder.parent), "samples") == f"{folder} 2", "the next model doesn't replace this one"
    assert chosen_folder(str(folder.parent), " Röm: a/b\\c? ") == str(folder.parent / "Röm a b c")
    assert chosen_folder(str(tmp_path / "mine"), "samples") == str(tmp_path / "mine")


def test_temporary_folder_is_the_one_that_is_named(halves, script, feedback, monkeypatch, qgis_new_project):
    body = """
        import json, os, sys
        os.makedirs(sys.argv[5])
        print(json.dumps({"event": "result", "outputs": {"output": sys.argv[5]}}))
    """
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "trainer")))
    given = {"INPUT": str(halves), "SAMPLES": layer_of("Point", ["a", "b"]), "FIELD": "cover"}
    given["OUTPUT"] = "TEMPORARY_OUTPUT"
    results = processing.run("sardino:trainclassifier", given, feedback=feedback)
    assert Path(results["OUTPUT"]).is_dir() and results["OUTPUT"] in feedback.infos[-1]
    assert any("deletes when it exits" in text for text in feedback.warnings) and not added_folders()


@pytest.mark.slow
def test_refusals_and_cancel_keep_the_older_folder(halves, tmp_path, feedback, qgis_new_project):
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.txt").write_text("one")
    given = {"INPUT": str(halves), "SAMPLES": layer_of("Polygon", ["a", "b"]), "FIELD": "cover"}
    with pytest.raises(QgsProcessingException, match="chapter.txt, so it is not a model folder"):
        processing.run("sardino:trainclassifier", {**given, "OUTPUT": str(foreign)})
    with pytest.raises(QgsProcessingException, match="Classes of the samples: 1"):
        one = {**given, "SAMPLES": layer_of("Polygon", ["a"]), "OUTPUT": str(tmp_path / "m")}
        processing.run("sardino:trainclassifier", one)
    nameless = layer_of("Polygon", ["", ""])
    nameless.setName("my fields")
    with pytest.raises(QgsProcessingException, match="^my fields has no sample with a class in the field"):
        processing.run("sardino:trainclassifier", {**given, "SAMPLES": nameless, "OUTPUT": str(tmp_path / "m")})
    feedback.progressChanged.connect(lambda _: feedback.cancel())
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        processing.run("sardino:trainclassifier", {**given, "OUTPUT": str(tmp_path / "m")}, feedback=feedback)
    assert {p.name for p in tmp_path.iterdir()} == {"halves.tif", "thesis"}
    assert [p.name for p in foreign.iterdir()] == ["chapter.txt"]


def test_samples_of_further_scenes_are_learnt(halves, tmp_path, feedback, qgis_new_project):
    """Of the first scene the samples of water alone, of one 20 km to the east those of forest."""
    east = tmp_path / "east.tif"
    gdal.Translate(
        str(east), str(halves), outputBounds=(LEFT + 20_000, TOP, LEFT + 20_000 + 10 * SIZE, TOP - 10 * SIZE)
    )
    layer = layer_of("Polygon", ["See", "Wald"])
    for feature in layer.getFeatures("cover = 'Wald'"):
        moved = feature.geometry()
        moved.translate(20_000, 0)
        layer.dataProvider().changeGeometryValues({feature.id(): moved})
    given = {"INPUT": str(halves), "FURTHER_SCENES": [str(east)], "SAMPLES": layer, "FIELD": "cover", "CHECK": False,
             "OUTPUT": str(tmp_path / "two")}  # fmt: skip
    processing.run("sardino:trainclassifier", given, feedback=feedback)
    card = json.loads((tmp_path / "two" / "card.json").read_text())
    assert {name: each["samples"] for name, each in card["metrics"]["samples"].items()} == {"1 See": 6, "2 Wald": 6}
    assert any("east.tif: 6 samples" in text for text in feedback.infos)
    del layer, given
