"""Outputs are Cloud Optimized GeoTIFFs: directories first, then overviews from the smallest, then the image."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import Resampling

from backend.output.cog import _read, _tiles, rearrange
from backend.output.sink import Layer, RasterSink
from backend.raster.grid import Grid

GRID = Grid(rasterio.CRS.from_epsg(32632), Affine(10, 0, 500_000, 0, -10, 5_800_000), 700, 900)


def layout(path):
    with path.open("rb") as file:
        form, directories = _read(file)
    return form, [_tiles(directory, form) for directory in directories]


def check_order(path):
    _, tiles = layout(path)
    ends = 0
    for offsets, counts in reversed(tiles):
        there = counts > 0
        assert (np.diff(offsets[there]) > 0).all() and offsets[there].min() >= ends
        ends = int((offsets + counts).max())
    assert ends == path.stat().st_size


@pytest.mark.parametrize("big", ["NO", "YES"])
@pytest.mark.parametrize(("dtype", "bands"), [("uint8", 1), ("float32", 3)])
def test_pixels_overviews_and_metadata_stay(tmp_path, big, dtype, bands):
    values = np.random.default_rng(1).integers(0, 90, (bands, 900, 700)).astype(dtype)
    path = tmp_path / "a.tif"
    options = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "interleave": "band"}
    with rasterio.open(
        path, "w", driver="GTiff", width=700, height=900, count=bands, dtype=dtype, crs=GRID.crs,
        transform=GRID.transform, nodata=0, bigtiff=big, **options,
    ) as file:  # fmt: skip
        file.write(values)
        file.update_tags(A="b" * 300)
        file.descriptions = [f"band {n}" for n in range(bands)]
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], Resampling.nearest)
    with rasterio.open(path) as file:
        before, small = dict(file.profile), file.read(out_shape=(bands, 450, 350))
    assert layout(path)[1][0][0].min() < layout(path)[1][1][0].min()
    rearrange(path)
    check_order(path)
    assert layout(path)[0].big == (big == "YES")
    with rasterio.open(path) as file:
        assert dict(file.profile) == before and file.overviews(1) == [2, 4]
        assert file.tags()["A"] == "b" * 300 and file.descriptions[0] == "band 0"
        np.testing.assert_array_equal(file.read(), values)
        np.testing.assert_array_equal(file.read(out_shape=(bands, 450, 350)), small)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("big", ["NO", "YES"])
def test_overviews_in_files_of_their_own_are_joined(tmp_path, big):
    """Those of a BigTIFF are smaller than four gigabytes, and no BigTIFFs."""
    values, paths = np.random.default_rng(1).integers(0, 90, (1, 900, 700)).astype("uint8"), []
    for factor in (1, 2, 4):
        small = values[:, ::factor, ::factor]
        paths.append(tmp_path / f"{factor}.tif")
        with rasterio.open(
            paths[-1], "w", driver="GTiff", width=small.shape[2], height=small.shape[1], count=1, dtype="uint8",
            crs=GRID.crs, transform=GRID.transform, tiled=True, compress="deflate", bigtiff="NO" if factor > 1 else big,
        ) as file:  # fmt: skip
            file.write(small)
    rearrange(paths[0], paths[1:])
    check_order(paths[0])
    assert layout(paths[0])[0].big == (big == "YES")
    with rasterio.open(paths[0]) as file:
        assert file.overviews(1) == [2, 4] and file.transform == GRID.transform
        np.testing.assert_array_equal(file.read(), values)
    for level, factor in enumerate((2, 4)):
        with rasterio.open(paths[0], overview_level=level) as file:
            np.testing.assert_array_equal(file.read(), values[:, ::factor, ::factor])


def test_what_the_sink_writes_is_in_order(tmp_path):
    sink = RasterSink(tmp_path / "map.tif", GRID, Layer("uint8", 0, ["land cover"], {1: (9, 9, 9)}))
    sink.write(np.ones((1, 900, 700), np.uint8))
    sink.finish()
    sink.commit()
    check_order(tmp_path / "map.tif")


def test_a_file_that_is_cut_short_is_refused_and_kept(tmp_path):
    path = tmp_path / "a.tif"
    sink = RasterSink(path, GRID, Layer("float32", float("nan"), ["a"]))
    sink.write(np.random.default_rng(1).random((1, 900, 700), np.float32))
    sink.finish()
    sink.commit()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OSError, match="ends within a block"):
        rearrange(path)
    assert path.stat().st_size == len(whole) // 2 and len(list(tmp_path.iterdir())) == 1


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(b"GIF89a" + bytes(20))
    with pytest.raises(OSError, match="no TIFF"):
        rearrange(path)
