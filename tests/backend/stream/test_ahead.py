"""Test that what threads read ahead covers every pixel once, in whole blocks."""

from __future__ import annotations

import numpy as np
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.raster.source import RasterSource
from backend.stream.ahead import LEAST_ROWS, SLAB_BYTES, shares, slab_rows, slabs


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@settings(max_examples=40)
@given(pairs(1, 300), pairs(1, 90), pairs(0, 100), st.integers(1, 9))
def test_shares_cover_a_slab_once_in_whole_blocks(size, block, start, count):
    seen = np.zeros(size, dtype=int)
    found = shares(size, block, start, count)
    assert len(found) == count
    for share in found:
        seen[share.rows, share.columns] += 1
        for part, unit, begin, end in zip((share.rows, share.columns), block, start, size):
            assert all((begin + cut) % unit == 0 for cut in (part.start, part.stop) if 0 < cut < end)
    assert (seen == 1).all()


@settings(max_examples=40)
@given(st.integers(0, 5000), st.integers(1, 5000), st.integers(1, 600))
def test_slabs_follow_each_other_at_multiples_in_the_file(first, height, rows):
    found = slabs(first, height, rows)
    assert found[0][0] == 0 and found[-1][1] == height
    assert all(a[1] == b[0] and (first + b[0]) % rows == 0 for a, b in zip(found, found[1:]))
    assert all(0 < bottom - top <= rows for top, bottom in found)


@settings(max_examples=40)
@given(st.integers(1, 20_000), st.integers(1, 10**6))
def test_slabs_are_bounded_and_in_step_with_blocks(block, row_bytes):
    rows = slab_rows(block, row_bytes)
    assert rows * row_bytes <= SLAB_BYTES or rows <= max(LEAST_ROWS, 31)
    assert rows % block == 0 or block % rows == 0 or rows == LEAST_ROWS


def test_blocks_of_joined_files_are_those_of_the_files(make_raster, scene_db):
    db = scene_db(150, 203)
    tiled = {"tiled": True, "blockxsize": 64, "blockysize": 32}
    files = [make_raster(db[i : i + 1], f"{name}.tif", (name,), **tiled) for i, name in enumerate(("VV", "VH"))]
    with RasterSource([str(file) for file in files], names=["VV", "VH"]) as source:
        reader, storage = source.stored()
        assert (storage.block, storage.shareable) == ((32, 64), True)
        values = np.empty((2, 70, 90), np.float32)
        reader.read((40, 33), values)
        np.testing.assert_array_equal(values, db[:, 40:110, 33:123])
        described = source._file.name
    for written, shareable in ((described, True), (described.replace(' relativeToVRT="0"', ' shared="1"'), False)):
        (files[0].parent / "joined.vrt").write_text(written)
        with RasterSource(files[0].parent / "joined.vrt", names=["VV", "VH"]) as source:
            assert source.stored()[1].shareable is shareable
    points = [rasterio.control.GroundControlPoint(r, c, c * 10, -r * 10) for r in (0, 149) for c in (0, 202)]
    warped = make_raster(db, "points.tif", transform=None, gcps=points)
    with RasterSource(warped, names=["VV", "VH"]) as source:
        assert not source.stored()[1].shareable
