"""Fixtures: class maps, and runs of the commands on them."""

import numpy as np
import pytest

from backend.core.context import Context
from backend.output.styles import aux_xml, paletted_qml
from backend.vectors.polygons_command import PolygonsRequest, polygons
from tests.support.class_maps import CLASSES


@pytest.fixture
def make(make_raster):
    def write(values, name="map.tif", **profile):
        options = {"nodata": 0, **profile}
        return make_raster(np.asarray(values).astype(np.uint8)[None], name, descriptions=(), **options)

    return write


@pytest.fixture
def named(make):
    """A map with names and colours in its sidecar files."""

    def write(values, name="map.tif", **profile):
        path = make(values, name, **profile)
        path.with_name(path.name + ".aux.xml").write_text(aux_xml(CLASSES, {}))
        path.with_suffix(".qml").write_text(paletted_qml(CLASSES))
        return path

    return write


@pytest.fixture
def patchy():
    """Classes 10, 40, 80 and no data (0) in patches of all sizes, [rows, columns]."""

    def classes(height, width, seed=0):
        from scipy.ndimage import gaussian_filter

        rng = np.random.default_rng(seed)
        fields = np.stack([gaussian_filter(rng.normal(size=(height, width)), 1.2) for _ in range(4)])
        return np.array([0, 10, 40, 80], np.uint8)[fields.argmax(axis=0)]

    return classes


@pytest.fixture
def convert(tmp_path):
    """Make polygons and return the result and the path."""

    def run(map_, name="polygons.gpkg", context=None, **options):
        path = tmp_path / name
        return polygons(PolygonsRequest(str(map_), path, overwrite=True, **options), context or Context()), path

    return run
