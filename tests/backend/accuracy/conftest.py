"""Fixtures: a map, references for it, and accuracy reports."""

import json

import numpy as np
import pytest

from backend.accuracy.command import AccuracyRequest, accuracy
from backend.core.context import Context
from tests.support.class_maps import TRUTH


@pytest.fixture
def noisy():
    """A map with errors in one pixel of five."""
    generator = np.random.default_rng(1)
    wrong = generator.random(TRUTH.shape) < 0.2
    return np.where(wrong, generator.permutation(TRUTH.ravel()).reshape(TRUTH.shape), TRUTH).astype(np.uint8)


@pytest.fixture
def make(make_raster):
    def write(values, name, **profile):
        return make_raster(np.asarray(values)[None], name, descriptions=(), **profile)

    return write


@pytest.fixture
def assess(tmp_path):
    """Run an assessment and return the figures of its JSON."""

    def run(map_, reference, **options):
        target = tmp_path / "out" / "report.html"
        target.parent.mkdir(exist_ok=True)
        request = AccuracyRequest(
            str(map_), str(reference), target, target.with_suffix(".json"), overwrite=True, **options
        )
        accuracy(request, Context())
        return json.loads(target.with_suffix(".json").read_text())

    return run


@pytest.fixture
def geojson(tmp_path):
    def write(features, crs="EPSG:32630"):
        items = [{"type": "Feature", "properties": {"class": c}, "geometry": g} for c, g in features]
        path = tmp_path / "ref.geojson"
        member = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
        path.write_text(json.dumps({"type": "FeatureCollection", **member, "features": items}))
        return path

    return write
