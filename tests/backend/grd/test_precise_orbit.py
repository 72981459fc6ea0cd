"""Precise orbits replace those of the annotation; files of other satellites, days and kinds are refused."""

from __future__ import annotations

import re
import zipfile

import numpy as np
import pytest
import rasterio

from backend.core.errors import InputError
from backend.grd.product import open_product
from backend.grd.terrain.precise_orbit import precise_orbit
from backend.grd.terrain.range_doppler import RangeDoppler
from tests.support.mountain import DESCENDING
from tests.support.safe.eof import write_eof
from tests.support.safe.orbit import Imaged


def at(channel, orbit=None):
    return RangeDoppler(channel, orbit).positions(np.array([[8.2, 46.7], [8.22, 46.72]]), np.array([300.0, 900.0]))


@pytest.mark.parametrize("space", ["", ' xmlns="http://eop-cfi.esa.int/CFI"'])
def test_the_same_orbit_gives_the_same_positions(tmp_path, relief, space):
    product = open_product(str(relief))
    path = write_eof(tmp_path / "a.EOF", DESCENDING)
    path.write_text(path.read_text().replace("<Earth_Explorer_File>", f"<Earth_Explorer_File{space}>"))
    packed = tmp_path / "a.EOF.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(path, path.name)
    for given in (path, packed):
        found = at(product.channels[0], precise_orbit(str(given), product))
        assert np.abs(found - at(product.channels[0])).max() < 1e-3


def test_an_orbit_that_is_higher_moves_the_ground(tmp_path, relief, dem, cli):
    product = open_product(str(relief))
    path = write_eof(tmp_path / "a.EOF", DESCENDING, away=5.0)
    moved = at(product.channels[0], precise_orbit(str(path), product)) - at(product.channels[0])
    # The slant range grows by 5 m times the cosine of the angle from nadir, ground range by that over its sine.
    assert (np.abs(moved[:, 0]) > 0.4).all() and (np.abs(moved[:, 0]) < 1.2).all() and np.abs(moved[:, 1]).max() < 0.05
    code, _, err = cli("calibrate", relief, tmp_path / "o.tif", "--dem", dem, "--orbit", path)
    assert code == 0 and "orbit of a.EOF and geolocation grid" in err
    with rasterio.open(tmp_path / "o.tif") as file:
        assert file.tags()["SARDINO_TERRAIN_CORRECTION"].endswith("orbit of a.EOF")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"mission": "Sentinel-1B"}, "is of Sentinel-1B; the product is of S1A"),
        ({"kind": "AUX_CAL"}, "type is AUX_CAL"),
        (
            {"times": np.arange(-3000, -300, 10.0)},
            "cover the time from 2021-04-01T04:36.* the product needs 2021-04-01T05:26",
        ),
        ({"times": np.arange(-300, 310, 60.0)}, "cover .* the product needs"),
        ({"times": np.array([])}, "cover no time"),
        ({"away": 5e5}, "distances from the Earth's centre of 7.57"),
    ],
)
def test_other_files_are_refused(tmp_path, relief, changes, match):
    path = write_eof(tmp_path / "a.EOF", DESCENDING, **changes)
    with pytest.raises(InputError, match=match) as refusal:
        precise_orbit(str(path), open_product(str(relief)))
    assert "AUX_POEORB" in refusal.value.hint


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"text", "not XML"),
        (b"<a/>", "type is unknown"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (None, "can't be read"),
    ],
)
def test_files_that_are_no_orbits_are_refused(tmp_path, relief, content, match):
    path = tmp_path / "a.EOF"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=match):
        precise_orbit(str(path), open_product(str(relief)))


def test_a_zip_of_several_orbits_is_refused(tmp_path, relief):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.EOF", "")
        archive.writestr("b.EOF", "")
    with pytest.raises(InputError, match="holds 2 files of orbits"):
        precise_orbit(str(tmp_path / "a.zip"), open_product(str(relief)))


def test_numbers_that_are_none_are_refused(tmp_path, relief):
    path = write_eof(tmp_path / "a.EOF", Imaged())
    path.write_text(re.sub(r"<Z unit=\"m\">[^<]*", '<Z unit="m">nan', path.read_text()))
    with pytest.raises(InputError, match="not finite"):
        precise_orbit(str(path), open_product(str(relief)))


@pytest.mark.parametrize("option", [("--orbit", "a.EOF"), ("--flatten",), ("--mask", "m.tif"), ("--mask-nodata",)])
def test_options_without_an_elevation_model_are_wrong_usage(cli, tmp_path, relief, option, capsys):
    code, _, err = cli("calibrate", relief, tmp_path / "o.tif", *option)
    assert code == 2 and f"{option[0]} has no effect without --dem" in err
