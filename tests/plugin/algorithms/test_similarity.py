"""Test the points of a similarity run, from a parameter and from a layer."""

from __future__ import annotations

import numpy as np
import processing
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsVectorLayer,
)

from tests.support.options import option


def points_given(arguments):
    return [
        [float(text) for text in arguments[place + 1 : place + 3]]
        for place, argument in enumerate(arguments)
        if argument == "--point"
    ]


def point_layer(crs, *wkts):
    layer = QgsVectorLayer(f"MultiPoint?crs={crs}", "places", "memory")
    features = []
    for wkt in wkts:
        features.append(QgsFeature())
        if wkt:
            features[-1].setGeometry(QgsGeometry.fromWkt(wkt))
    layer.dataProvider().addFeatures(features)
    return layer


def test_command_of_similarity_to_a_point(provider, calls, scene, tmp_path):
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "s.tif")}
    processing.run("sardino:similarity", {**given, "POINT": "400300.00001,5199500 [EPSG:32633]"})
    arguments = calls()["arguments"]
    assert option(arguments, "--point", 2) == ["400300.0000100000", "5199500.0000000000"]
    assert option(arguments, "--grid") == ["input"] and option(arguments, "--block") == ["-1"]
    processing.run("sardino:similarity", {**given, "POINT": "13.69,46.945 [EPSG:4326]", "GRID": "patch"})
    arguments = calls()["arguments"]
    ((x, y),) = points_given(arguments)
    assert 400_000 < x < 400_960 and 5_199_000 < y < 5_200_200  # checked against the extent's test below
    assert option(arguments, "--grid") == ["patch"]


def test_points_are_transformed_to_the_crs_of_the_raster(provider, calls, scene, tmp_path, feedback):
    to_degrees = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:32633"), QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance()
    )
    here = [to_degrees.transform(x, 5_199_500) for x in (400_300, 400_500, 400_700)]
    wkts = [f"MultiPoint(({p.x()} {p.y()}), ({q.x()} {q.y()}))" for p, q in [here[:2]]]
    layer = point_layer("EPSG:4326", *wkts, f"MultiPoint(({here[2].x()} {here[2].y()}))", None)
    given = {"INPUT": str(scene), "POINTS": layer, "OUTPUT": str(tmp_path / "s.tif")}
    processing.run("sardino:similarity", given, feedback=feedback)
    expected = [[400_300, 5_199_500], [400_500, 5_199_500], [400_700, 5_199_500]]
    np.testing.assert_allclose(points_given(calls()["arguments"]), expected, atol=0.01)
    assert any(text.endswith("left out: 1.") for text in feedback.warnings)
    # With a point too, all count; of a layer with a selection, the selected features alone.
    layer.select(2)
    selected = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    QgsProject.instance().addMapLayer(layer, False)
    processing.run("sardino:similarity", {**given, "POINTS": selected, "POINT": "400100,5199500 [EPSG:32633]"})
    np.testing.assert_allclose(
        points_given(calls()["arguments"]), [[400_100, 5_199_500], [400_700, 5_199_500]], atol=0.01
    )
    QgsProject.instance().removeMapLayer(layer.id())
    del layer, given


def test_similarity_without_a_place_is_refused(provider, calls, scene, tmp_path):
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "s.tif")}
    with pytest.raises(QgsProcessingException, match="No place to compare with"):
        processing.run("sardino:similarity", given)
    empty = point_layer("EPSG:32633")
    with pytest.raises(QgsProcessingException, match="has no usable point"):
        processing.run("sardino:similarity", {**given, "POINTS": empty})
    del empty
