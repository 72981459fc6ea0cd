"""Similarity: known answers, points, grids."""

import numpy as np
import pytest
import rasterio
from affine import Affine

from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.maps.embeddings import embed
from backend.maps.request import MapContext, Request
from backend.maps.similarity import best_cosine, similarity, unit
from tests.support.backend.listener import Listener


@pytest.fixture
def run(tiny_model, tmp_path):
    def call(scene, *points, extent=None, reporter=None, **options):
        request = Request(
            str(scene), tmp_path / "s.tif", tiny_model, device="cpu", overwrite=True, extent=extent
        )  # fmt: skip
        similarity(request, points, context=MapContext(reporter or Reporter()), **options)
        with rasterio.open(tmp_path / "s.tif") as file:
            return file.read(1), file.profile

    return call


@pytest.fixture
def two_textures(make_raster):
    """Calm water on the left, bright rough land on the right, nodata in a corner."""
    rng = np.random.default_rng(1)
    vv = np.where(np.arange(160) < 80, -22.0, -8.0) + rng.normal(0, 1, (120, 160))
    vv[:10, :20] = np.nan
    return make_raster(np.stack((vv, vv - 7)).astype(np.float32))


def at(row, column):
    """Map coordinates of the middle of a pixel of `make_raster`."""
    return 500_005 + 10 * column, 4_599_995 - 10 * row


def test_one_texture_is_more_like_itself_than_like_the_other(run, two_textures):
    values, profile = run(two_textures, at(60, 30))
    assert profile["transform"] == Affine(10, 0, 500_000, 0, -10, 4_600_000) and values.shape == (120, 160)
    assert values[60, 30] == pytest.approx(1, abs=1e-5)
    left, right = values[20:, :72], values[20:, 88:]
    assert np.percentile(left, 5) > np.percentile(right, 95)
    np.testing.assert_array_equal(np.isnan(values[:12, :22]), np.pad(np.full((10, 20), True), ((0, 2), (0, 2))))
    assert np.nanmin(values) >= -1 and np.nanmax(values) <= 1


@pytest.mark.parametrize("grid", ["input", "patch"])
def test_every_point_has_similarity_one_to_itself(run, make_raster, scene_db, grid):
    scene = make_raster(scene_db(150, 130))
    places = [(0, 0), (149, 129), (67, 44), (63, 64), (80, 3)]
    for count in (1, 5):
        values, profile = run(scene, *(at(*place) for place in places[:count]), grid=grid)
        for row, column in places[:count]:
            x, y = ~profile["transform"] * at(row, column)
            assert values[int(y), int(x)] == pytest.approx(1, abs=1e-5)


def test_values_are_the_cosines_of_the_embeddings(run, make_raster, scene_db, tiny_model, tmp_path):
    scene = make_raster(scene_db(100, 140))
    embed(Request(str(scene), tmp_path / "e.tif", tiny_model, device="cpu"))
    with rasterio.open(tmp_path / "e.tif") as file:
        tokens, transform = file.read(), file.transform
    values, profile = run(scene, at(50, 70), at(3, 9), grid="patch")
    assert profile["transform"] == transform
    directions = tokens / np.linalg.norm(tokens, axis=0)
    each = [np.einsum("dhw,d->hw", directions, directions[:, row, column]) for row, column in ((6, 8), (0, 1))]
    np.testing.assert_allclose(values, np.max(each, axis=0), atol=1e-4)


def test_identical_pixels_have_similarity_one(run, make_raster):
    """A scene that repeats itself with the stride of the tiles, so that equal places lie equally in their tiles."""
    piece = np.random.default_rng(2).normal(-12, 3, (2, 32, 32)).astype(np.float32)
    piece[1] -= 7  # as VH lies below VV
    values, _ = run(make_raster(np.tile(piece, (1, 6, 6))), at(83, 77), grid="patch")
    # Inside, away from the reflected border: patches 10, 9 and all that lie four further.
    assert values[6:18:4, 5:17:4] == pytest.approx(1, abs=1e-4)
    assert np.median(values) < 0.99


def test_other_pixel_sizes_come_back_to_the_input_grid(run, make_raster, scene_db):
    scene = make_raster(scene_db(101, 67), crs="EPSG:4326", transform=Affine(0.0002, 0, -3, 0, -0.0002, 45))
    values, profile = run(scene, (-3 + 0.0002 * 30.5, 45 - 0.0002 * 50.5))
    assert values.shape == (101, 67) and profile["crs"].to_epsg() == 4326
    assert values[50, 30] == pytest.approx(1, abs=1e-5)


def test_points_that_cannot_be_used_are_left_out_with_a_warning(run, two_textures):
    reporter = Listener()
    values, _ = run(two_textures, (0, 0), at(60, 30), at(2, 2), (float("nan"), 1), reporter=reporter)
    assert values[60, 30] == pytest.approx(1, abs=1e-5)
    outside, empty, nan = reporter.warnings
    assert "0 0 lies outside" in outside and "left out" in outside
    assert f"{at(2, 2)[0]} {at(2, 2)[1]} lies where the raster has no data" in empty
    assert "nan 1" in nan


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(0, 0)], "The point 0 0 lies outside"),
        ([at(2, 2)], "no data"),
        ([(0, 0), (1, 1)], "2 points were given, none can be used"),
        ([], "0 points"),
        ([at(60, 30)] * 101, "101 points"),
    ],
)
def test_without_a_point_that_can_be_used_it_is_refused(run, two_textures, points, message, tmp_path):
    with pytest.raises(InputError, match=message) as refusal:
        run(two_textures, *points)
    assert refusal.value.hint and not (tmp_path / "s.tif").exists()


def test_a_point_must_lie_in_the_extent(run, two_textures):
    extent = (500_300, 4_599_000, 501_000, 4_599_700)
    values, _ = run(two_textures, at(60, 40), extent=extent)
    assert values.shape == (70, 70) and values[30, 10] == pytest.approx(1, abs=1e-5)
    with pytest.raises(InputError, match="outside"):
        run(two_textures, at(60, 10), extent=extent)


def test_the_style_ends_at_one(run, two_textures, tmp_path):
    run(two_textures, at(60, 30))
    style = (tmp_path / "s.qml").read_text()
    assert 'classificationMax="1"' in style and "singlebandpseudocolor" in style


def test_best_cosine_takes_the_nearest_and_minds_zeros():
    tokens = np.array([[[3, 0, 0, -2]], [[0, 5, 0, 0]]], dtype=np.float32)
    references = unit(np.array([[7, 0], [1, 1]], dtype=np.float32))
    np.testing.assert_allclose(best_cosine(tokens, references), [[[1, 0.5**0.5, 0, -(0.5**0.5)]]], atol=1e-6)
