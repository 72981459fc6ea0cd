"""Products made to do harm: parts that show other files, that never end, or that take gigabytes."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from rasterio.shutil import copy

from backend.core.errors import InputError
from backend.grd.container import is_product
from backend.grd.ground_control import read_points
from backend.grd.tables import Table, Vector
from backend.grd.xml import Annotation
from tests.backend.grd.test_product import edit, open_all


@pytest.fixture
def changed(product, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(product, tmp_path / product.name)


def measurement(product):
    return next(product.glob("measurement/*vv*"))


@pytest.mark.parametrize("sidecar", ["", ".ovr", ".msk", ".aux.xml"])
def test_a_measurement_is_a_geotiff_alone(sidecar, changed):
    """A virtual raster in its place, or beside it, would show another file of this computer."""
    path = measurement(changed)
    moved = path.rename(changed / "elsewhere.tif")
    virtual = path.with_name(path.name + sidecar)
    copy(moved, virtual, driver="VRT")
    if sidecar:
        shutil.copy(moved, path)
        assert (open_all(changed) > 0).any()
    else:
        with pytest.raises(InputError, match="as GeoTIFF"):
            open_all(changed)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that are files")
@pytest.mark.parametrize(
    "pattern", ["measurement/*vv*", "annotation/s1a*vv*", "annotation/calibration/calibration*vv*"]
)
def test_a_pipe_as_a_part_is_refused(pattern, changed):
    path = next(changed.glob(pattern))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="not a file but a pipe"):
        open_all(changed)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that are files")
def test_a_pipe_is_no_zip(tmp_path):
    os.mkfifo(tmp_path / "product.zip")
    assert not is_product(str(tmp_path / "product.zip"))


@pytest.mark.parametrize("spacing", ["0", "1e-9", "-10", "1e9"])
def test_an_impossible_spacing_is_refused(spacing, changed):
    name = "<rangePixelSpacing>"
    edit(changed, "annotation/s1a*vv*", name, f"{name}{spacing}</rangePixelSpacing>{name}")
    with pytest.raises(InputError, match="that of products is 1 to 1000 m"):
        open_all(changed)


def test_tables_of_gigabytes_are_refused_by_their_size():
    vectors = [Vector(line, np.array([0.0]), np.array([1.0])) for line in range(70_000)]
    with pytest.raises(InputError, match=r"70000 lines of 26000 samples, 13\.6 GiB"):
        Table(vectors, 26_000)


def test_too_many_ground_control_points_are_refused():
    point = "<geolocationGridPoint><pixel>1</pixel></geolocationGridPoint>"
    points = f"<geolocationGridPointList>{point * 50_000}</geolocationGridPointList>"
    text = f"<p><geolocationGrid>{points}</geolocationGrid></p>"
    with pytest.raises(InputError, match="50000 ground control points"):
        read_points(Annotation.parse(text.encode(), "a.xml"), (10, 10))
