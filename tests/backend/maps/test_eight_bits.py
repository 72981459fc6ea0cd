"""Values in eight bits: within half a step of the floats, nodata apart."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from backend.core.errors import InputError
from backend.maps.eight_bits import NOTHING, Range, share_code
from backend.maps.embeddings import embed
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.radiometry.units import Units


def test_shares_are_within_half_a_step():
    shares = np.linspace(0, 1, 1001, dtype=np.float32)[None, None]
    coded = share_code().encode(shares, np.ones((1, 1001), bool))
    assert np.abs(coded / 254 - shares).max() <= 0.5 / 254 + 1e-6
    assert (share_code().encode(shares, np.zeros((1, 1001), bool)) == NOTHING).all()


def test_a_band_without_spread_keeps_its_value():
    span = Range(1)
    span.add(np.full((1, 5), 3.0, np.float32))
    code = span.code()
    layer = code.layer(["a"])
    coded = code.encode(np.full((1, 1, 2), 3.0, np.float32), np.ones((1, 2), bool))
    assert (coded * layer.scales[0] + layer.offsets[0] == 3.0).all()


def read(path):
    with rasterio.open(path) as file:
        raw = file.read()
        scale, offset = (np.array(x)[:, None, None] for x in (file.scales, file.offsets))
        return raw, raw * scale + offset, scale


def test_embeddings_in_bytes_are_those_in_floats(make_raster, scene_db, tiny_model, tmp_path):
    db = scene_db(70, 90)
    db[:, :20, :30] = np.nan
    scene = make_raster(db)
    for bits in (32, 8):
        embed(
            Request(str(scene), tmp_path / f"{bits}.tif", tiny_model, units=Units.DB),
            bits=bits,
            pca=tmp_path / f"p{bits}.tif",
        )
    floats = read(tmp_path / "32.tif")[0]
    raw, values, scale = read(tmp_path / "8.tif")
    np.testing.assert_array_equal(raw == NOTHING, np.isnan(floats))
    valid = np.isfinite(floats)
    assert (np.abs(values - floats) <= scale / 2 + 1e-5)[valid].all()
    np.testing.assert_array_equal(read(tmp_path / "p8.tif")[0], read(tmp_path / "p32.tif")[0])
    names = {path.name for path in tmp_path.iterdir() if "part" in path.name or "floats" in path.name}
    assert names == set()


def test_probabilities_and_confidence_in_bytes(make_raster, scene_db, tiny_model, tmp_path):
    scene = make_raster(scene_db(50, 60))
    for bits in (32, 8):
        paths = [tmp_path / f"{name}{bits}.tif" for name in ("map", "confidence", "probabilities")]
        landcover(Request(str(scene), paths[0], tiny_model, units=Units.DB), paths[1], paths[2], bits=bits)
    for name in ("confidence", "probabilities"):
        _, values, scale = read(tmp_path / f"{name}8.tif")
        assert np.abs(values - read(tmp_path / f"{name}32.tif")[0]).max() <= scale.max() / 2 + 1e-5
    np.testing.assert_array_equal(read(tmp_path / "map8.tif")[0], read(tmp_path / "map32.tif")[0])


def test_other_numbers_of_bits_are_refused(tmp_path):
    with pytest.raises(InputError, match="16 bits"):
        landcover(Request("none.tif", tmp_path / "a.tif"), bits=16)
