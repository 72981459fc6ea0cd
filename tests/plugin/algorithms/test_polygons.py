"""Test `sardino:polygons` in a real QGIS: against the native algorithm, styles, refusals."""

from __future__ import annotations

import numpy as np
import processing
import pytest
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsDistanceArea,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsVectorLayer,
)

from sardino_qgis.layers.vector_styling import PolygonStyler
from tests.support.plugin.rasters import write_class_map

NAMES = {1: "Forest", 2: "Water"}


pytestmark = pytest.mark.usefixtures("backend_worker")


@pytest.fixture
def class_map(tmp_path):
    """A map of two classes and no data, with names and a colour table."""
    values = np.random.default_rng(3).integers(0, 3, (30, 40)).astype(np.uint8)
    values[10:25, 5:20] = 2
    return write_class_map(tmp_path / "map.tif", values, NAMES, {1: (0, 100, 0), 2: (0, 100, 200)})


def outlines(layer, field):
    return sorted((f[field], f.geometry().normalized().asWkt(3) if hasattr(f.geometry(), "normalized")
                   else round(f.geometry().area(), 3)) for f in layer.getFeatures())  # fmt: skip


def test_polygons_are_those_of_the_native_algorithm(class_map, tmp_path, feedback):
    results = processing.run(
        "sardino:polygons", {"INPUT": class_map, "OUTPUT": str(tmp_path / "p.gpkg")}, feedback=feedback
    )
    native = processing.run(
        "gdal:polygonize",
        {"INPUT": class_map, "BAND": 1, "FIELD": "DN", "OUTPUT": str(tmp_path / "n.gpkg")},
    )
    mine, other = (QgsVectorLayer(path, "p", "ogr") for path in (results["OUTPUT"], native["OUTPUT"]))
    assert mine.featureCount() == other.featureCount() == results["POLYGONS"] and results["JOINED"] == 0
    assert outlines(mine, "class") == outlines(other, "DN")
    assert mine.crs().authid() == "EPSG:32633" and mine.extent() == other.extent()
    assert all(f.geometry().isGeosValid() for f in mine.getFeatures())
    ellipsoid = QgsDistanceArea()
    ellipsoid.setSourceCrs(mine.crs(), QgsProject.instance().transformContext())
    ellipsoid.setEllipsoid("EPSG:7030")
    for f in mine.getFeatures():
        assert f["area_m2"] == pytest.approx(ellipsoid.measureArea(f.geometry()), rel=1e-6, abs=0.006)
        assert f["name"] == NAMES[f["class"]]
    assert any(text.startswith("Water: ") and text.endswith(" ha") for text in feedback.infos)
    del mine, other


@pytest.mark.parametrize("name", ["p.gpkg", "p.geojson"])
def test_names_and_colours_are_those_of_the_map(class_map, tmp_path, name):
    results = processing.run("sardino:polygons", {"INPUT": class_map, "OUTPUT": str(tmp_path / name)})
    layer = QgsVectorLayer(results["OUTPUT"], "p", "ogr")  # as the browser loads it: with its default style
    # As Processing loads it: without.
    bare = QgsVectorLayer(results["OUTPUT"], "p", "ogr", QgsVectorLayer.LayerOptions(loadDefaultStyle=False))
    PolygonStyler().postProcessLayer(bare, QgsProcessingContext(), None)
    for shown in (layer, bare):
        renderer = shown.renderer()
        assert isinstance(renderer, QgsCategorizedSymbolRenderer) and renderer.classAttribute() == "class"
        found = {int(c.value()): (c.label(), c.symbol().color().name()) for c in renderer.categories()}
        assert found == {1: ("Forest", "#006400"), 2: ("Water", "#0064c8")}
    if name.endswith("gpkg"):
        sublayers = layer.dataProvider().subLayers()
        assert len([s for s in sublayers if "layer_styles" not in s]) == 1
    del layer, bare, shown


def test_edits_of_the_package_keep_its_index(class_map, tmp_path):
    results = processing.run("sardino:polygons", {"INPUT": class_map, "OUTPUT": str(tmp_path / "p.gpkg")})
    layer = QgsVectorLayer(results["OUTPUT"], "p", "ogr")
    count, first = layer.featureCount(), next(layer.getFeatures())
    moved = first.geometry()
    moved.translate(5000, 0)
    assert layer.dataProvider().changeGeometryValues({first.id(): moved})
    assert layer.dataProvider().deleteFeatures([first.id() + 1])
    layer = QgsVectorLayer(results["OUTPUT"], "p", "ogr")
    layer.updateExtents()
    there = moved.boundingBox()
    assert layer.featureCount() == count - 1
    assert [f.id() for f in layer.getFeatures(there)] == [first.id()], "found by the index at its new place"
    del layer


def test_confidence_minimum_area_and_simplification(class_map, tmp_path):
    given = {"INPUT": class_map, "CONFIDENCE": class_map, "MIN_AREA": 400, "SIMPLIFY": 15,
             "OUTPUT": str(tmp_path / "p.gpkg")}  # fmt: skip
    results = processing.run("sardino:polygons", given)
    layer = QgsVectorLayer(results["OUTPUT"], "p", "ogr")
    assert results["JOINED"] > 0 and layer.featureCount() == results["POLYGONS"]
    assert all(1 <= f["confidence"] <= 2 and f.geometry().isGeosValid() for f in layer.getFeatures())
    del layer


def test_the_temporary_output_is_a_package(class_map):
    results = processing.run("sardino:polygons", {"INPUT": class_map, "OUTPUT": "TEMPORARY_OUTPUT"})
    assert results["OUTPUT"].endswith(".gpkg")


def test_a_loaded_result_can_be_replaced_after_it_is_removed(class_map, tmp_path):
    given = {"INPUT": class_map, "OUTPUT": str(tmp_path / "p.gpkg")}
    processing.run("sardino:polygons", given)
    layer = QgsVectorLayer(given["OUTPUT"], "p", "ogr")
    count = layer.featureCount()
    try:
        processing.run("sardino:polygons", given | {"MIN_AREA": 100_000})
    except QgsProcessingException as refusal:  # versions of QGIS differ in whether they keep changes beside the file
        assert "is in use" in str(refusal)
    del layer
    results = processing.run("sardino:polygons", given | {"MIN_AREA": 100_000})
    layer = QgsVectorLayer(results["OUTPUT"], "p", "ogr")
    assert layer.featureCount() == results["POLYGONS"] < count
    del layer


def test_a_loaded_older_result_shows_the_new_one(class_map, tmp_path, qgis_new_project):
    given = {"INPUT": class_map, "OUTPUT": str(tmp_path / "p.geojson")}
    processing.run("sardino:polygons", given)
    layer = QgsVectorLayer(given["OUTPUT"], "mine", "ogr")
    QgsProject.instance().addMapLayer(layer)
    count = layer.featureCount()
    results = processing.run("sardino:polygons", given | {"MIN_AREA": 100_000})
    assert layer.featureCount() == results["POLYGONS"] < count and layer.name() == "mine"
    assert isinstance(layer.renderer(), QgsCategorizedSymbolRenderer)
    del layer


def test_refusals(class_map, tmp_path):
    with pytest.raises(QgsProcessingException, match="Choose such a file"):
        processing.run("sardino:polygons", {"INPUT": class_map, "OUTPUT": str(tmp_path / "p.shp")})
    with pytest.raises(QgsProcessingException, match="one style"):
        processing.run("sardino:polygons", {"INPUT": class_map, "OUTPUT": str(tmp_path / "map.geojson")})
