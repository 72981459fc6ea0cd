"""Test samples from GeoJSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.warp import transform_geom

from backend.core.errors import InputError
from backend.own_classes.samples import Sample, Samples, check_classes, read_samples
from tests.support.samples import DEGREES, collection, feature

BROKEN = {
    "no JSON": "{",
    "no collection": "[]",
    "deep": "[" * 50_000,
    "no field": json.dumps(collection([{"type": "Feature", "geometry": DEGREES, "properties": {"other": 1}}])),
    "lines": json.dumps(collection([feature({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, 1)])),
    "no numbers": json.dumps(collection([feature({"type": "Point", "coordinates": ["a", "b"]}, 1)])),
    "not finite": json.dumps(collection([feature({"type": "Point", "coordinates": [float("nan"), 1]}, 1)])),
    "open ring": json.dumps(collection([feature({"type": "Polygon", "coordinates": [[[0, 0]]]}, 1)])),
    "metres taken for degrees": json.dumps(collection([feature({"type": "Point", "coordinates": [5e5, 5e6]}, 1)])),
    "unknown CRS": json.dumps(collection([feature(DEGREES, 1)], crs={"properties": {"name": "EPSG:0"}})),
    "CRS of another kind": json.dumps(collection([feature(DEGREES, 1)], crs=7)),
    "no class anywhere": json.dumps(collection([feature(DEGREES, None)])),
    "features as text": json.dumps({"type": "FeatureCollection", "features": "abc"}),
    "a feature as text": json.dumps(collection(["abc"])),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_an_invalid_sample_file_is_refused_with_a_hint(tmp_path, text):
    path = tmp_path / "s.geojson"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_samples(path, "cover", CRS.from_epsg(32633))
    assert caught.value.hint and "\n" not in caught.value.message


def test_degrees_and_a_named_crs_give_the_same_place(tmp_path):
    metres = {"type": "Point", "coordinates": [500123.0, 4999877.0]}
    there = transform_geom("EPSG:32633", "EPSG:4326", metres)
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    found = []
    for document in (collection([feature(there, " a\tb ")]), collection([feature(metres, "a b")], crs=named)):
        (tmp_path / "s.geojson").write_text(json.dumps(document))
        found.append(read_samples(tmp_path / "s.geojson", "cover", CRS.from_epsg(32633)).items[0])
    np.testing.assert_allclose(found[0].geometry["coordinates"], found[1].geometry["coordinates"], atol=0.01)
    assert found[0].label == found[1].label == "a b"


def test_a_field_that_numbers_the_samples_is_refused():
    samples = [Sample(DEGREES, number) for number in range(3)]
    with pytest.raises(InputError, match="Each of the 3 samples is a class of its own in the field 'fid'"):
        check_classes(Samples(tuple(samples), 0), "fid")
    check_classes(Samples(tuple(samples[:2]), 0), "cover")
    check_classes(Samples((*samples, samples[0]), 0), "cover")
