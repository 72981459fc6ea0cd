"""Test `sardino:change` and `sardino:sarchange` in a real QGIS with a real worker."""

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
    QgsPalettedRasterRenderer,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

from backend.card.worldcover import MERGED_NAMES
from sardino_qgis.layers.styling import apply_qml
from tests.support.plugin.rasters import write_class_map

UTM, WGS = "EPSG:32633", "EPSG:4326"


pytestmark = pytest.mark.usefixtures("backend_worker")


def two_maps():
    before = np.kron([[10, 30], [30, 80]], np.ones((20, 25))).astype(np.uint8)
    after = before.copy()
    after[:8, :10] = 30
    return before, after


@pytest.fixture
def class_maps(tmp_path):
    """Write the two maps with names; returns their paths."""
    maps = zip(two_maps(), ("before.tif", "after.tif"))
    return [write_class_map(tmp_path / name, values, MERGED_NAMES) for values, name in maps]


@pytest.fixture
def samples(qgis_app):
    """A memory layer of points at every fourth pixel, with the true classes; a part of the mapped loss is none."""

    def make(crs):
        layer = QgsVectorLayer(f"Point?crs={crs}&field=was:string&field=is:int&field=note:string", "checked", "memory")
        there = QgsCoordinateTransform(
            QgsCoordinateReferenceSystem(UTM), QgsCoordinateReferenceSystem(crs), QgsProject.instance()
        )
        before, after = two_maps()
        after[:2, :5] = 10
        features = []
        for row in range(0, 40, 2):
            for column in range(0, 50, 2):
                feature = QgsFeature(layer.fields())
                feature.setAttributes([MERGED_NAMES[int(before[row, column])], int(after[row, column]), "x"])
                place = QgsPointXY(400005 + 10 * column, 5199995 - 10 * row)
                feature.setGeometry(QgsGeometry.fromPointXY(there.transform(place)))
                features.append(feature)
        layer.dataProvider().addFeatures(features)
        return layer

    return make


def test_change_of_class_maps_with_a_styled_layer_and_a_report(class_maps, tmp_path, feedback):
    given = {"BEFORE": class_maps[0], "AFTER": class_maps[1], "OUTPUT": str(tmp_path / "c.tif"),
             "OUTPUT_REPORT": str(tmp_path / "c.html"), "OUTPUT_CSV": str(tmp_path / "c.csv")}  # fmt: skip
    results = processing.run("sardino:change", given, feedback=feedback)
    assert results["CHANGED_AREA"] == 8000 and results["CHANGED_SHARE"] == pytest.approx(80 / 2000)
    assert "Tree cover → Open land" in (tmp_path / "c.html").read_text(encoding="utf-8")
    assert any("0.8 ha" in text for text in feedback.infos) and feedback.progress() == 100
    layer = QgsRasterLayer(results["OUTPUT"], "change")
    assert apply_qml(layer) and isinstance(layer.renderer(), QgsPalettedRasterRenderer)
    labels = [each.label for each in layer.renderer().classes()]
    assert labels == ["Tree cover, unchanged", "Tree cover → Open land", "Open land, unchanged",
                      "Water or very smooth surface, unchanged"]  # fmt: skip
    del layer


@pytest.mark.parametrize("crs", [UTM, WGS])
def test_samples_in_any_crs_give_areas_with_intervals(class_maps, samples, tmp_path, feedback, crs):
    points = samples(crs)
    given = {"BEFORE": class_maps[0], "AFTER": class_maps[1], "SAMPLES": points, "FIELD_BEFORE": "was",
             "FIELD_AFTER": "is", "OUTPUT": str(tmp_path / "c.tif"), "OUTPUT_JSON": str(tmp_path / "c.json"),
             "OUTPUT_REPORT": str(tmp_path / "c.html")}  # fmt: skip
    results = processing.run("sardino:change", given, feedback=feedback)
    facts = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    lost = next(group for group in facts["estimates"]["groups"] if group["name"] == "Tree cover: lost")
    # 20 samples in the mapped loss, of which 3 were no loss.
    assert lost["estimate"] == pytest.approx(8000 * 17 / 20) and lost["standard_error"] > 0
    assert results["ESTIMATED_CHANGE"] == pytest.approx(lost["estimate"]) and results["ESTIMATED_CHANGE_SE"] > 0
    assert facts["estimates"]["units"] == 500 and any("Estimated from the samples" in text for text in feedback.infos)
    del points, given


def test_change_refuses_what_it_cannot_use(class_maps, samples, tmp_path, feedback):
    points = samples(UTM)
    good = {"BEFORE": class_maps[0], "AFTER": class_maps[1], "OUTPUT": str(tmp_path / "c.tif")}
    for wrong, match in (
        ({"AFTER": class_maps[0]}, "Both dates are the same file"),
        ({"SAMPLES": points, "FIELD_BEFORE": "was"}, "Choose the fields"),
        ({"IGNORE": "a few"}, "write whole numbers"),
        ({"MAPPING": "Swamp=10"}, "Swamp"),
    ):
        with pytest.raises(QgsProcessingException, match=match):
            processing.run("sardino:change", {**good, **wrong}, feedback=feedback)
    assert not (tmp_path / "c.tif").exists()
    del points, good, wrong


@pytest.fixture
def sar_dates(make_scene):
    """Two dates of speckle, of which a square darkened."""
    rng = np.random.default_rng(3)
    before, after = (10 * np.log10(rng.gamma(4.4, 1 / 4.4, (128, 128))) - 11 for _ in range(2))
    after[40:70, 40:70] -= 8
    return [str(make_scene(vv, name)) for vv, name in ((before, "one.tif"), (after, "two.tif"))]


def test_sar_change_writes_three_styled_rasters(sar_dates, tmp_path, feedback):
    outputs = {name: str(tmp_path / f"{name.lower()}.tif") for name in ("OUTPUT", "OUTPUT_DECIBELS", "OUTPUT_P_VALUE")}
    given = {"BEFORE": sar_dates[0], "AFTER": sar_dates[1], "LEVEL": 0.001, "OUTPUT_REPORT": str(tmp_path / "s.html")}
    results = processing.run("sardino:sarchange", {**given, **outputs}, feedback=feedback)
    assert results["CHANGED_SHARE"] == pytest.approx(900 / 128**2, rel=0.35)
    values = gdal.Open(results["OUTPUT"]).ReadAsArray()
    assert (values[46:64, 46:64] == 2).all() and (values == 1).mean() > 0.9
    decibels = gdal.Open(results["OUTPUT_DECIBELS"])
    assert decibels.RasterCount == 2 and decibels.ReadAsArray()[0, 50:60, 50:60].mean() == pytest.approx(-8, abs=1)
    for name in outputs:
        layer = QgsRasterLayer(results[name], name)
        assert layer.isValid() and apply_qml(layer)
        del layer
    assert any("Looks of VV" in text for text in feedback.infos)
    assert "Backscatter fell" in (tmp_path / "s.html").read_text(encoding="utf-8")
    del decibels


def test_sar_change_refuses_class_maps_and_an_even_window(class_maps, sar_dates, tmp_path, feedback):
    good = {"BEFORE": sar_dates[0], "AFTER": sar_dates[1], "OUTPUT": str(tmp_path / "s.tif")}
    with pytest.raises(QgsProcessingException, match="odd number"):
        processing.run("sardino:sarchange", {**good, "WINDOW": 6}, feedback=feedback)
    with pytest.raises(QgsProcessingException):
        processing.run(
            "sardino:sarchange", {**good, "BEFORE": class_maps[0], "AFTER": class_maps[1]}, feedback=feedback
        )
    assert not (tmp_path / "s.tif").exists()


def test_layers_that_are_loaded_are_named_after_the_later_date(sar_dates, tmp_path, feedback):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    details = QgsProcessingContext.LayerDetails("Significant change", QgsProject.instance(), "OUTPUT")
    path = str(tmp_path / "s.tif")
    context.setLayersToLoadOnCompletion({path: details})
    given = {"BEFORE": sar_dates[0], "AFTER": sar_dates[1], "OUTPUT": path}
    processing.run("sardino:sarchange", given, feedback=feedback, context=context)
    assert context.layerToLoadOnCompletionDetails(path).name == "Significant change: two"
