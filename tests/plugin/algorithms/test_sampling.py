"""Test `sardino:samplingdesign` and `sardino:nextsamples` in a real QGIS with a real worker: to accuracy and back."""

from __future__ import annotations

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsVectorLayer,
    edit,
)

from sardino_qgis.algorithms.answers.point_layers import FormStyler
from tests.support.plugin.rasters import write_class_map, write_raster

CLASSES = np.kron([[10, 80], [80, 10]], np.ones((60, 75))).astype(np.uint8)
NAMES = {10: "Tree & bush", 80: "Water"}
UTM = "EPSG:32633"


pytestmark = pytest.mark.usefixtures("backend_worker")


@pytest.fixture
def raster(tmp_path):
    """Write a raster; returns its path."""

    def write(values, name, kind=gdal.GDT_Byte, nodata=0, names=None, tags=None):
        if names:
            return write_class_map(tmp_path / name, values, names)
        data = write_raster(tmp_path / name, values, kind, nodata)
        data.SetMetadata(tags or {})
        del data
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_points_are_filled_in_by_the_form_and_go_into_accuracy(raster, tmp_path, feedback, ending):
    map_, out = raster(CLASSES, "map.tif", names=NAMES), str(tmp_path / f"samples [1].{ending}")
    given = {"INPUT": map_, "STANDARD_ERROR": 0.05, "PER_CLASS": 20, "DISTANCE": 30, "OUTPUT": out}
    results = processing.run("sardino:samplingdesign", given, feedback=feedback)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    layer = QgsVectorLayer(results["OUTPUT"], "samples", "ogr")
    assert layer.isValid() and layer.crs().authid() == UTM
    assert layer.featureCount() == results["POINTS"] >= 60
    FormStyler().postProcessLayer(layer, None, None)
    fields = layer.fields()
    choice = layer.editorWidgetSetup(fields.lookupField("reference"))
    assert choice.type() == "ValueMap"
    offered = {name: value for entry in choice.config()["map"] for name, value in entry.items()}
    assert offered["Tree & bush"] == "10" and offered["Water"] == "80" and len(offered) == 3
    assert layer.editorWidgetSetup(fields.lookupField("map_class")).type() == "Hidden"
    assert layer.editFormConfig().readOnly(fields.lookupField("id"))
    hidden = {column.name for column in layer.attributeTableConfig().columns() if column.hidden}
    assert hidden == {"map_class"}
    assert [item.label() for item in layer.renderer().categories()] == ["Tree & bush", "Water", "to do"]
    assert layer.labelsEnabled()
    with edit(layer):
        for feature in layer.getFeatures():
            value = str(feature["map_class"]) if feature["id"] % 10 else "80"
            layer.changeAttributeValue(feature.id(), fields.lookupField("reference"), value)
    given = {"INPUT": map_, "REFERENCE_VECTOR": layer, "FIELD": "reference", "OUTPUT": str(tmp_path / "r.html")}
    found = processing.run("sardino:accuracy", given)
    assert found["UNITS"] == results["POINTS"]
    assert 0.9 < found["ESTIMATED_OVERALL_ACCURACY"] < 1 and 0 < found["ESTIMATED_OVERALL_ACCURACY_SE"] < 0.05
    del layer, given


def test_a_loaded_layer_gets_the_form(raster, tmp_path, qgis_new_project):
    given = {
        "INPUT": raster(CLASSES, "map.tif", names=NAMES),
        "STANDARD_ERROR": 0.1,
        "OUTPUT": str(tmp_path / "s.gpkg"),
    }
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    results = processing.runAndLoadResults("sardino:samplingdesign", given, context=context)
    layers = list(QgsProject.instance().mapLayers().values())
    assert len(layers) == 1 and results["OUTPUT"]
    assert layers[0].editorWidgetSetup(layers[0].fields().lookupField("reference")).type() == "ValueMap"
    assert len(layers[0].renderer().categories()) == 3
    QgsProject.instance().clear()


@pytest.mark.parametrize(
    ("changes", "match"),
    [({"IGNORE_MAP": "x"}, "whole numbers"), ({"EXPECTED": "Lake=0.5"}, "no class 'Lake'"),
     ({"OUTPUT": "s.xyz"}, "xyz")],
)  # fmt: skip
def test_refusals_reach_the_user(raster, tmp_path, changes, match):
    changes = {key: str(tmp_path / value) if key == "OUTPUT" else value for key, value in changes.items()}
    given = {"INPUT": raster(CLASSES, "map.tif"), "OUTPUT": str(tmp_path / "s.gpkg"), **changes}
    with pytest.raises(QgsProcessingException, match=match):
        processing.run("sardino:samplingdesign", given)
    assert not (tmp_path / "s.gpkg").exists()


def test_next_samples_have_the_field_of_the_samples(raster, tmp_path):
    margin = np.full((100, 100), 0.9, np.float32)
    margin[:, :40] = 0.1
    samples = QgsVectorLayer(f"Point?crs={UTM}&field=cover:string&field=other:int", "samples", "memory")
    for name, row in (("rice", 10), ("maize", 90)):
        feature = QgsFeature(samples.fields())
        feature.setAttributes([name, 1])
        feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(400105, 5199995 - 10 * row)))
        samples.dataProvider().addFeatures([feature])
    given = {"INPUT": raster(margin, "m.tif", gdal.GDT_Float32, -1, tags={"SARDINO_OUTPUT": "margin"}), "COUNT": 5,
             "SAMPLES": samples, "OUTPUT": str(tmp_path / "n.gpkg")}  # fmt: skip
    with pytest.raises(QgsProcessingException, match="Choose the field"):
        processing.run("sardino:nextsamples", given)
    results = processing.run("sardino:nextsamples", {**given, "FIELD": "cover"})
    layer = QgsVectorLayer(results["OUTPUT"], "next", "ogr")
    assert layer.featureCount() == results["POINTS"] == 5
    places = [feature.geometry().asPoint() for feature in layer.getFeatures()]
    assert all(place.x() < 400400 for place in places)
    FormStyler().postProcessLayer(layer, None, None)
    choice = layer.editorWidgetSetup(layer.fields().lookupField("cover"))
    assert {value for entry in choice.config()["map"] for value in entry.values()} >= {"rice", "maize"}
    del layer, samples, given
