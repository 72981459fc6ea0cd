"""Test `sardino:zones` in a real QGIS: against the native zonal histogram, any layer, an accuracy report."""

from __future__ import annotations

import csv

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingException,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)

from tests.support.plugin.rasters import write_class_map

UTM, WGS = "EPSG:32633", "EPSG:4326"
NAMES = {1: "Forest", 2: "Open land"}


pytestmark = pytest.mark.usefixtures("backend_worker")


@pytest.fixture
def class_map(tmp_path):
    values = np.random.default_rng(3).integers(0, 3, (60, 80)).astype(np.uint8)
    return write_class_map(tmp_path / "map.tif", values, NAMES)


@pytest.fixture
def parcels(qgis_app):
    """A memory layer of two overlapping circles and a rectangle, in a CRS; its names clash with those of the result."""

    def make(crs=UTM):
        layer = QgsVectorLayer(f"Polygon?crs={crs}&field=label:string&field=pixels:int", "parcels", "memory")
        there = QgsCoordinateTransform(
            QgsCoordinateReferenceSystem(UTM), QgsCoordinateReferenceSystem(crs), QgsProject.instance()
        )
        shapes = [
            QgsGeometry.fromPointXY(QgsPointXY(400200, 5199700)).buffer(140, 20),
            QgsGeometry.fromPointXY(QgsPointXY(400300, 5199650)).buffer(130, 20),
            QgsGeometry.fromRect(QgsRectangle(400500, 5199500, 400750, 5199950)),
        ]
        features = []
        for name, shape in zip("abc", shapes):
            shape.transform(there)
            feature = QgsFeature(layer.fields())
            feature.setAttributes([name, 7])
            feature.setGeometry(shape)
            features.append(feature)
        layer.dataProvider().addFeatures(features)
        return layer

    return make


def read(path):
    layer = QgsVectorLayer(path, "z", "ogr")
    names = layer.fields().names()
    rows = [dict(zip(names, feature.attributes())) for feature in layer.getFeatures()]
    return rows, layer.crs().authid()


@pytest.mark.parametrize("crs", [UTM, WGS])
def test_pixels_are_those_of_the_native_histogram(class_map, parcels, tmp_path, crs):
    layer = parcels(crs)
    results = processing.run("sardino:zones", {"INPUT": class_map, "ZONES": layer, "OUTPUT": str(tmp_path / "z.gpkg")})
    rows, written = read(results["OUTPUT"])
    native = processing.run(
        "native:zonalhistogram",
        {"INPUT_RASTER": class_map, "RASTER_BAND": 1, "INPUT_VECTOR": layer, "COLUMN_PREFIX": "n",
         "OUTPUT": str(tmp_path / "n.gpkg")},
    )  # fmt: skip
    others, _ = read(native["OUTPUT"])
    assert written == crs and [row["label"] for row in rows] == ["a", "b", "c"] and rows[0]["pixels"] == 7
    for row, other in zip(rows, others):
        assert row["pixels_2"] == pytest.approx(other["n1"] + other["n2"], abs=2 * (crs == WGS))
        for word, value in (("forest", 1), ("open_land", 2)):
            assert row[f"{word}_m2"] == pytest.approx(100 * other[f"n{value}"], rel=2e-3, abs=200 * (crs == WGS))
        assert row["forest_share"] + row["open_land_share"] == pytest.approx(1)
        assert row["majority"] in NAMES.values()
    del layer


def test_report_of_accuracy_gives_intervals(class_map, parcels, tmp_path, feedback):
    report = str(tmp_path / "r.json")
    processing.run(
        "sardino:accuracy",
        {"INPUT": class_map, "REFERENCE": _shifted(class_map, tmp_path), "SAMPLE_SIZE": 200,
         "OUTPUT": str(tmp_path / "r.html"), "OUTPUT_JSON": report},
    )  # fmt: skip
    layer = parcels()
    given = {"INPUT": class_map, "ZONES": layer, "REPORT": report, "OUTPUT": str(tmp_path / "z.gpkg")}
    rows, _ = read(processing.run("sardino:zones", given, feedback=feedback)["OUTPUT"])
    for row in rows:
        assert row["forest_low_m2"] < row["forest_est_m2"] < row["forest_high_m2"]
        assert row["forest_est_m2"] + row["open_land_est_m2"] == pytest.approx(row["valid_m2"], abs=1)
    assert any("This assumes" in text for text in feedback.infos)
    del layer, given


def _shifted(path, folder):
    other = str(folder / "ref.tif")
    data = gdal.Translate(other, path)
    values = data.GetRasterBand(1).ReadAsArray()
    values[::3] = np.roll(values[::3], 1, axis=1)
    data.GetRasterBand(1).WriteArray(values)
    del data
    return other


def test_features_without_geometry_and_csv(class_map, parcels, tmp_path):
    layer = parcels()
    empty = QgsFeature(layer.fields())
    empty.setAttributes(["none", 1])
    layer.dataProvider().addFeature(empty)
    output = str(tmp_path / "z.csv")
    processing.run("sardino:zones", {"INPUT": class_map, "ZONES": layer, "OUTPUT": output})
    with open(output, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["a", "b", "c", "none"]
    assert float(rows[0]["forest_m2"]) > 0 and rows[3]["forest_m2"] == ""
    results = processing.run("sardino:zones", {"INPUT": class_map, "ZONES": layer, "OUTPUT": str(tmp_path / "z.gpkg")})
    assert read(results["OUTPUT"])[0][3]["forest_m2"] == NULL
    del layer


def test_refusals_reach_the_user(class_map, parcels, tmp_path):
    layer = parcels()
    given = {"INPUT": class_map, "ZONES": layer, "OUTPUT": str(tmp_path / "z.gpkg")}
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(QgsProcessingException, match="not an accuracy report"):
        processing.run("sardino:zones", given | {"REPORT": str(tmp_path / "no.json")})
    nothing = QgsVectorLayer("Polygon?crs=EPSG:32633", "none", "memory")
    with pytest.raises(QgsProcessingException, match="no polygons"):
        processing.run("sardino:zones", given | {"ZONES": nothing})
    assert not (tmp_path / "z.gpkg").exists()
    del layer, nothing, given
