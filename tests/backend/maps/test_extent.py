"""The map of an extent is that part of the whole map."""

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from backend.core.errors import InputError
from backend.maps.attention import attention
from backend.maps.embeddings import embed
from backend.maps.extent import Layout, tiles_around
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.maps.similarity import similarity
from backend.stream.tiling import plan_tiles

# Top, left, height and width: odd places inside, at the far edges, of one pixel, along a whole side.
PARTS = [(37, 53, 41, 59), (151, 1, 49, 30), (100, 203, 1, 1), (0, 77, 200, 13), (3, 5, 190, 222)]


@pytest.fixture
def scene(make_raster, scene_db):
    values = scene_db(200, 230)
    values[:, 60:80, :90] = np.nan
    return make_raster(values)


def bounds(part):
    top, left, height, width = part
    return 500000 + 10 * left, 4_600_000 - 10 * (top + height), 500000 + 10 * (left + width), 4_600_000 - 10 * top


@pytest.fixture
def asked(scene, tiny_model, tmp_path):
    def call(task, part=None, scene=scene, **more):
        output = tmp_path / "output.tif"
        extent = bounds(part) if part else None
        task(Request(str(scene), output, tiny_model, device="cpu", overwrite=True, extent=extent), **more)
        with rasterio.open(output) as file:
            return file.read(), file.transform

    return call


def same(found, whole, part, atol=0.0):
    top, left, height, width = part
    np.testing.assert_allclose(found[0], whole[0][:, top : top + height, left : left + width], rtol=0, atol=atol)
    assert found[1] == whole[1] * whole[1].translation(left, top)


@pytest.mark.parametrize("task", [landcover, attention])
def test_maps_are_equal_to_the_last_bit(asked, task):
    whole = asked(task)
    for part in PARTS:
        same(asked(task, part), whole, part)


def test_confidence_and_probabilities_are_too(asked, tmp_path):
    found = []
    for part in (None, PARTS[0]):
        paths = {role: tmp_path / f"{role}.tif" for role in ("confidence", "probabilities")}
        asked(landcover, part, **paths)
        found.append([])
        for path in paths.values():
            with rasterio.open(path) as file:
                found[-1].append((file.read(), file.transform))
    for small, large in zip(found[1], found[0]):
        same(small, large, PARTS[0])


def test_embeddings_keep_the_patches_of_the_whole_raster(asked):
    whole = asked(embed)
    for top, left, height, width in PARTS[:3]:
        first, begin = top // 8, left // 8
        patches = first, begin, -(-(top + height) // 8) - first, -(-(left + width) // 8) - begin
        same(asked(embed, (top, left, height, width)), whole, patches)


@pytest.mark.parametrize("grid", ["input", "patch"])
def test_similarity_to_a_point_is_that_of_the_whole_raster(asked, grid):
    point = 500000 + 10 * 70 + 5, 4_600_000 - 10 * 50 - 5
    whole = asked(similarity, points=[point], grid=grid)
    found = asked(similarity, (40, 56, 32, 48), points=[point], grid=grid)
    # Matrix products round differently by their shape.
    same(found, whole, (40, 56, 32, 48) if grid == "input" else (5, 7, 4, 6), atol=1e-6)


def test_an_extent_without_data_is_refused_with_data_near(asked):
    with pytest.raises(InputError, match="no valid pixel"):
        asked(landcover, (60, 10, 12, 13))


@pytest.mark.parametrize("pixel, least", [(5.0, 1.0), (30.0, 0.97), (20.0, 0.97)])
def test_resampled_maps_are_nearly_equal(asked, make_raster, scene_db, pixel, least):
    values = np.repeat(np.repeat(scene_db(40, 50), 4, axis=1), 4, axis=2)
    transform = rasterio.transform.from_origin(500000, 4_600_000, pixel, pixel)
    scene = make_raster(values, "scaled.tif", transform=transform)
    whole = asked(landcover, scene=scene)[0]
    share = pixel / 10
    top, left, height, width = 31, 77, 90, 101
    part = top * share, left * share, height * share, width * share
    found = asked(landcover, part, scene=scene)[0]
    assert found.shape == (1, height, width)
    assert (found == whole[:, top : top + height, left : left + width]).mean() >= least


@given(
    size=st.integers(1, 900),
    places=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    tiles=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    factor=st.sampled_from([1.0, 2.0, 0.5, 10 / 30, 0.25, 3.7]),
)
def test_the_tiles_around_are_those_of_the_whole_raster(size, places, tiles, factor):
    start = int(min(places) * (size - 1))
    end = max(start + 1, int(max(places) * size))
    tile, stride = 8 * max(tiles), 8 * min(tiles)
    first, last = tiles_around(start, end, size, Layout(tile, stride, 8), factor)
    assert 0 <= first <= start < end <= last <= size
    if factor == 1:
        whole = plan_tiles(size, 1, tile, tile - stride, 8).rows
        part = plan_tiles(last - first, 1, tile, tile - stride, 8).rows
        origins = [first + origin for origin in part.origins]
        assert set(origins) <= set(whole.origins)
        over = {origin for origin in whole.origins if origin < end and origin + tile > start}
        assert over <= set(origins)
