"""Rasters of measurements are no class maps: every command that takes a map refuses them."""

import numpy as np
import pytest
import rasterio

from backend.accuracy.class_raster import ClassRaster
from backend.core.errors import InputError


@pytest.fixture
def scene(tmp_path, make_raster):
    """A raster of dB times 100, and a class map on its grid."""
    values = np.arange(40 * 50).reshape(1, 40, 50) % 600 - 2500
    for name, kind, data in (("scene", "int16", values), ("map", "uint8", values % 4 + 1)):
        make_raster(data.astype(kind), f"{name}.tif", descriptions=())
    return tmp_path / "scene.tif", tmp_path / "map.tif"


@pytest.mark.parametrize(
    "words",
    [
        ("polygons", "{scene}", "{out}.gpkg"),
        ("change", "{scene}", "{map}", "{out}.tif"),
        ("change", "{map}", "{scene}", "{out}.tif"),
        ("design", "{scene}", "{out}.geojson"),
        ("accuracy", "{scene}", "{map}", "{out}.html"),
        ("accuracy", "{map}", "{scene}", "{out}.html"),
    ],
)
def test_measurements_are_refused_as_a_class_map(cli, scene, tmp_path, words):
    names = {"scene": scene[0], "map": scene[1], "out": tmp_path / "out"}
    code, _, error = cli(*(word.format(**names) for word in words))
    assert code == 1 and "more than 256 different values in" in error and "scene.tif" in error
    assert list(tmp_path.glob("out*")) == []


def test_values_that_are_left_out_or_mapped_do_not_count(scene):
    with rasterio.open(scene[0]) as file:
        values = sorted(np.unique(file.read(1)).tolist())
    with ClassRaster(str(scene[0]), ignore=values[:590]) as raster:
        assert raster.read(0, 40)[1].any()
    with ClassRaster(str(scene[0]), mapping=dict.fromkeys(values, 1)) as raster:
        assert set(np.unique(raster.read(0, 40)[0])) == {1}
    with ClassRaster(str(scene[0])) as raster, pytest.raises(InputError, match="these are not classes"):
        raster.read(0, 40)
