"""Test `sardino:accuracy` in a real QGIS with a real worker: rasters, vector layers in any CRS, refusals, cancel."""

from __future__ import annotations

import json

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingOutputHtml,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

from backend.card.worldcover import MERGED_NAMES
from tests.support.plugin.rasters import write_class_map

TRUTH = np.kron([[10, 80], [80, 10]], np.ones((20, 25))).astype(np.uint8)
NAMES = {10: "Tree", 80: "Water"}
UTM, WGS = "EPSG:32633", "EPSG:4326"


pytestmark = pytest.mark.usefixtures("backend_worker")


@pytest.fixture
def classes(tmp_path):
    """Write a raster of classes with names; returns its path."""

    def write(values, name, names=NAMES):
        return write_class_map(tmp_path / name, values, names)

    return write


@pytest.fixture
def layer(qgis_app):
    """A memory layer of points at pixels (row, column) with an attribute each, in a CRS."""

    def make(places, values, crs=UTM, kind="string"):
        made = QgsVectorLayer(f"Point?crs={crs}&field=class:{kind}&field=other:int", "samples", "memory")
        there = QgsCoordinateTransform(
            QgsCoordinateReferenceSystem(UTM), QgsCoordinateReferenceSystem(crs), QgsProject.instance()
        )
        features = []
        for (row, column), value in zip(places, values):
            feature = QgsFeature(made.fields())
            feature.setAttributes([value, 1])
            place = QgsPointXY(400005 + 10 * column, 5199995 - 10 * row)
            feature.setGeometry(QgsGeometry.fromPointXY(there.transform(place)))
            features.append(feature)
        made.dataProvider().addFeatures(features)
        return made

    return make


def figures(results):
    with open(results["OUTPUT_JSON"], encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture
def outputs(tmp_path):
    return {"OUTPUT": str(tmp_path / "r.html"), "OUTPUT_JSON": str(tmp_path / "r.json")}


def test_accuracy_against_a_raster(classes, outputs, tmp_path, feedback):
    map_ = TRUTH.copy()
    map_[0], map_[1, :10] = 0, 80
    given = {"INPUT": classes(map_, "map.tif"), "REFERENCE": classes(TRUTH, "ref.tif"), "SAMPLE_SIZE": 200,
             "OUTPUT_CSV": str(tmp_path / "m.csv"), **outputs}  # fmt: skip
    results = processing.run("sardino:accuracy", given, feedback=feedback)
    assert results["OVERALL_ACCURACY"] == pytest.approx(1 - 10 / 1950)
    assert results["PIXELS"] == 1950 and results["UNITS"] == 200
    assert 0.9 < results["ESTIMATED_OVERALL_ACCURACY"] <= 1 and results["ESTIMATED_OVERALL_ACCURACY_SE"] >= 0
    assert 0 < results["MEAN_IOU"] < results["MEAN_F1"] < 1
    assert "80 Water" in (tmp_path / "r.html").read_text() and "80 Water" in (tmp_path / "m.csv").read_text()
    assert any("Overall accuracy" in text for text in feedback.infos) and feedback.progress() == 100
    assert not any("Model" in text for text in feedback.infos)


def test_accuracy_without_a_sample_has_no_estimates(classes, outputs):
    results = processing.run(
        "sardino:accuracy", {"INPUT": classes(TRUTH, "map.tif"), "REFERENCE": classes(TRUTH, "ref.tif"), **outputs}
    )
    assert "UNITS" not in results and "ESTIMATED_OVERALL_ACCURACY" not in results
    assert figures(results)["estimates"] is None


@pytest.mark.parametrize("names", [MERGED_NAMES, {}])
def test_a_map_of_four_classes_against_worldcover(classes, layer, outputs, feedback, names):
    """By class names, or without any by the values; raster and points."""
    map_ = np.where(TRUTH == 80, np.uint8(30), TRUTH)
    reference = map_.copy()
    reference[30:, :25], reference[:10, :25], reference[:10, 25:] = 30, 95, 40
    given = {"INPUT": classes(map_, "map.tif", names), **outputs}
    facts = figures(processing.run("sardino:accuracy", {**given, "REFERENCE": classes(reference, "ref.tif", {})}))
    assert facts["pixels"]["overall_accuracy"] == 1 and len(facts["classes"]) == 2
    assert [item["value"] for merged in facts["merged"] for item in merged["from"]] == [95, 40]
    points = layer([(5, 5), (5, 40), (6, 41)], [95, 40, 60], kind="int")
    results = processing.run(
        "sardino:accuracy", {**given, "REFERENCE_VECTOR": points, "FIELD": "class"}, feedback=feedback
    )
    assert results["OVERALL_ACCURACY"] == 1
    assert any("60 Bare / sparse vegetation into 30 Open land" in text for text in feedback.infos)
    del points, given


@pytest.mark.parametrize("crs", [UTM, WGS])
def test_accuracy_against_named_points_in_any_crs(classes, layer, outputs, crs):
    places = [(5, 5), (5, 40), (30, 5), (30, 40), (6, 6), (6, 41), (7, 7)]
    points = layer(places, ["tree", "Water", "Water", "Tree", "Lake", None, "10"], crs)
    given = {"INPUT": classes(TRUTH, "map.tif"), "REFERENCE_VECTOR": points, "FIELD": "class",
             "MAPPING": "Lake=80", **outputs}  # fmt: skip
    results = processing.run("sardino:accuracy", given)
    facts = figures(results)
    assert facts["pixels"]["matrix"] == [[3, 1], [0, 2]] and results["UNITS"] == 6
    assert facts["left_out"]["features without a class"] == 1 and facts["reference"] == "samples"
    del points, given


def test_names_of_a_spanish_legend_are_found(spanish, classes, layer, outputs):
    path = classes(TRUTH, "map.tif", {10: "Tree cover", 80: "Water"})
    data = gdal.Open(path, gdal.GA_Update)
    data.SetMetadata({"SARDINO_CLASSES": '[[10, "Tree cover", "#006400"], [80, "Water", "#0000ff"]]'})
    del data
    points = layer([(5, 5), (5, 40), (6, 6)], ["cubierta arbórea", "Water", "Lake"], UTM)
    given = {"INPUT": path, "REFERENCE_VECTOR": points, "FIELD": "class", "MAPPING": "Lake=80", **outputs}
    facts = figures(processing.run("sardino:accuracy", given))
    assert facts["pixels"]["matrix"] == [[1, 1], [0, 1]]
    strangers = layer([(5, 5)], ["Lake"], UTM)
    with pytest.raises(QgsProcessingException, match="^Ningún objeto espacial de samples tiene una clase del mapa"):
        processing.run("sardino:accuracy", {**given, "REFERENCE_VECTOR": strangers, "MAPPING": ""})
    del points, given, strangers


def test_accuracy_against_polygons_and_selected_features(classes, outputs):
    areas = QgsVectorLayer(f"CurvePolygon?crs={UTM}&field=class:int", "areas", "memory")
    for value, wkt in (
        (10, "CURVEPOLYGON(CIRCULARSTRING(400020 5199950, 400070 5199900, 400120 5199950, 400070 5200000,"
             "400020 5199950))"),
        (10, "POLYGON((400300 5199990, 400350 5199990, 400350 5199950, 400300 5199950, 400300 5199990))"),
    ):  # fmt: skip
        feature = QgsFeature(areas.fields())
        feature.setAttributes([value])
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        areas.dataProvider().addFeature(feature)
    given = {"INPUT": classes(TRUTH, "map.tif"), "REFERENCE_VECTOR": areas, "FIELD": "class", **outputs}
    facts = figures(processing.run("sardino:accuracy", given))
    assert facts["pixels"]["matrix"][1] == [20, 0]
    # A circle of 50 m: 78.5 pixels.
    assert facts["pixels"]["matrix"][0][0] == pytest.approx(78.5, abs=4)
    areas.selectByIds([2])
    given["REFERENCE_VECTOR"] = QgsProcessingFeatureSourceDefinition(areas.id(), selectedFeaturesOnly=True)
    QgsProject.instance().addMapLayer(areas, False)
    facts = figures(processing.run("sardino:accuracy", given | {"MAPPING": "10=80"}))
    assert facts["pixels"]["total"] == 20 and facts["pixels"]["overall_accuracy"] == 1
    QgsProject.instance().removeMapLayer(areas.id())


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({}, "exactly one"),
        ({"REFERENCE": "raster", "REFERENCE_VECTOR": "points", "FIELD": "class"}, "exactly one"),
        ({"REFERENCE_VECTOR": "points"}, "Choose the field"),
        ({"REFERENCE": "raster", "IGNORE_MAP": "0,x"}, "whole numbers"),
        ({"REFERENCE": "raster", "IGNORE_REFERENCE": "1.5"}, "whole numbers"),
    ],
)
def test_unusable_inputs_are_refused_in_the_dialog(provider, classes, layer, outputs, changes, match):
    points = layer([(0, 0)], ["Tree"])
    made = {"raster": classes(TRUTH, "ref.tif"), "points": points}
    given = {"INPUT": classes(TRUTH, "map.tif"), **{k: made.get(v, v) for k, v in changes.items()}, **outputs}
    algorithm = provider.algorithm("accuracy").create()
    good, why = algorithm.checkParameterValues(given, QgsProcessingContext())
    assert not good and match in why
    with pytest.raises(QgsProcessingException, match=match):
        processing.run("sardino:accuracy", given)
    del points, made, given


def test_refusals_of_the_worker_reach_the_user(classes, scene, outputs, tmp_path):
    with pytest.raises(QgsProcessingException, match="float32 values"):
        processing.run("sardino:accuracy", {"INPUT": classes(TRUTH, "m.tif"), "REFERENCE": str(scene), **outputs})
    assert not (tmp_path / "r.html").exists()


def test_values_to_ignore_may_be_negative_and_spaced(classes, outputs):
    given = {"INPUT": classes(TRUTH, "map.tif"), "REFERENCE": classes(TRUTH, "ref.tif"), "IGNORE_MAP": " -1; 80 ",
             **outputs}  # fmt: skip
    assert figures(processing.run("sardino:accuracy", given))["left_out"] == {"pixels with a map value to ignore": 1000}


def test_cancel_during_the_export_of_features(provider, classes, layer, outputs, tmp_path):
    points = layer([(0, 0)] * 3, ["Tree"] * 3)
    feedback = QgsProcessingFeedback(False)
    feedback.cancel()
    given = {"INPUT": classes(TRUTH, "map.tif"), "REFERENCE_VECTOR": points, "FIELD": "class", **outputs}
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        processing.run("sardino:accuracy", given, feedback=feedback)
    assert not (tmp_path / "r.html").exists()
    del points, given


def test_report_opens_in_the_results_viewer(provider):
    outputs = {o.name(): o for o in provider.algorithm("accuracy").outputDefinitions()}
    assert isinstance(outputs["OUTPUT"], QgsProcessingOutputHtml)
    numbers = {name for name, output in outputs.items() if output.type() == "outputNumber"}
    assert numbers == {"OVERALL_ACCURACY", "MEAN_IOU", "MEAN_F1", "PIXELS", "UNITS", "ESTIMATED_OVERALL_ACCURACY",
                       "ESTIMATED_OVERALL_ACCURACY_SE"}  # fmt: skip
    assert not provider.algorithm("accuracy").parameterDefinition("OUTPUT_JSON").createByDefault()


def test_crs_of_the_file_is_used_not_of_the_layer(classes, layer, outputs):
    """Use the CRS of the file, since the worker reads the file."""
    raster = QgsRasterLayer(classes(TRUTH, "map.tif"), "map")
    raster.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    points = layer([(5, 5), (5, 40)], ["Tree", "Water"], WGS)
    given = {"INPUT": raster, "REFERENCE_VECTOR": points, "FIELD": "class", **outputs}
    assert figures(processing.run("sardino:accuracy", given))["pixels"]["overall_accuracy"] == 1
    del raster, points, given
