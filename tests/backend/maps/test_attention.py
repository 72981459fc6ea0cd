import xml.etree.ElementTree as ET

import numpy as np
import pytest
import rasterio

from backend.core.errors import InputError
from backend.maps.attention import LEAST, attention, read_attention
from backend.maps.request import Request


@pytest.fixture
def attend(tiny_model, tmp_path):
    def call(scene, **options):
        attention(Request(str(scene), tmp_path / "a.tif", tiny_model, device="cpu", overwrite=True), **options)
        with rasterio.open(tmp_path / "a.tif") as file:
            return file.read(), file.descriptions

    return call


def test_mean_is_the_mean_of_the_heads_and_about_one(attend, make_raster, scene_db):
    values = scene_db(150, 200)
    values[:, 100:, 150:] = np.nan
    scene = make_raster(values)
    mean, names = attend(scene)
    heads, each = attend(scene, heads="all")
    assert mean.shape == (1, 150, 200) and heads.shape == (3, 150, 200)
    assert names == ("mean attention",) and each == ("head 1", "head 2", "mean attention")
    np.testing.assert_allclose(mean[0], heads[:2].mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(mean[0], heads[2], rtol=1e-4)
    np.testing.assert_array_equal(np.isnan(mean[0]), np.isnan(values[0]))
    assert 0.8 < np.nanmean(mean) < 1.2


def test_the_logarithm_is_the_mean_of_those_of_the_heads(attend, make_raster, scene_db):
    raw = np.full((2, 5, 5), 0.02, dtype=np.float32)
    raw[0, 0, :3] = 0.5, 0.04, 0.0
    (found,) = read_attention(raw, "log", None)
    # The average of the 24 patches with least attention is 0.02.
    np.testing.assert_allclose(found[0], [np.log2(25) / 2, 0.5, np.log2(LEAST / (0.02 * 25)) / 2, 0, 0], atol=1e-5)
    np.testing.assert_allclose(found[1:], 0, atol=1e-5)
    values = scene_db(150, 200)
    values[:, 100:, 150:] = np.nan
    scene = make_raster(values)
    (logs,), names = attend(scene, heads="log")
    heads, _ = attend(scene, heads="all")
    assert names == ("mean log2 attention",) and (np.isnan(logs) == np.isnan(values[0])).all()
    # Tiles differ in the average patch; between patches, logarithms are averaged instead of attention.
    np.testing.assert_allclose(logs, np.log2(heads[:2]).mean(axis=0), atol=0.1)


def test_colours_follow_the_logarithm(attend, make_raster, scene_db, tmp_path):
    def stops(heads):
        attend(scene, heads=heads)
        items = ET.parse(tmp_path / "a.qml").getroot().iter("item")
        return np.array([float(item.get("value")) for item in items])

    scene = make_raster(scene_db(96, 96))
    for heads in ("mean", "all"):
        ramp = stops(heads)
        assert len(ramp) > 2 and ramp[0] > 0
        np.testing.assert_allclose(ramp[1:] / ramp[:-1], (ramp[-1] / ramp[0]) ** (1 / (len(ramp) - 1)), rtol=1e-4)
    np.testing.assert_allclose(np.diff(stops("log")), np.ptp(stops("log")) / (len(ramp) - 1), rtol=1e-3)


def test_attention_of_rasters_smaller_than_a_tile(attend, make_raster, scene_db):
    for shape in ((1, 1), (20, 33)):
        found, _ = attend(make_raster(scene_db(*shape)), block=0)
        assert found.shape == (1, *shape) and np.isfinite(found).all()


def test_masks_keep_the_share_of_attention_asked_for(attend, make_raster, scene_db, tmp_path):
    values = scene_db(64, 64)
    values[:, :8] = np.nan
    attend(make_raster(values), masks=tmp_path / "m.tif", mass=0.5)
    with rasterio.open(tmp_path / "m.tif") as file:
        masks = file.read()
        assert file.nodata == 255
    assert masks.shape == (2, 64, 64)
    assert set(np.unique(masks[:, 8:])) == {0, 1} and (masks[:, :8] == 255).all()


def test_mass_keeps_the_largest_patches():
    raw = np.array([[[0.1, 0.4], [0.2, 0.1]]], dtype=np.float32)
    shown, mean, mask = read_attention(raw, "all", 0.6)
    np.testing.assert_allclose(shown, raw[0] * 4)
    np.testing.assert_allclose(mean, shown)
    assert mask.tolist() == [[0, 1], [1, 0]]
    assert read_attention(raw, "all", 1.0)[2].tolist() == [[1, 1], [1, 1]]


def test_no_tile_grid_shows(tiny_model, make_raster, scene_db, tmp_path):
    """The mean step across the borders of tiles is at most 1.1 times the mean step elsewhere."""
    scene = make_raster(scene_db(330, 330, seed=4))
    attention(Request(str(scene), tmp_path / "a.tif", tiny_model, device="cpu"))
    with rasterio.open(tmp_path / "a.tif") as file:
        found = file.read(1)
    for axis in (0, 1):
        steps = np.abs(np.diff(found, axis=axis)).mean(axis=1 - axis)
        # Tiles of 64 pixels begin every 32.
        position = np.arange(1, 330)
        borders = position % 32 == 0
        assert steps[borders].mean() <= 1.1 * steps[~borders].mean()


@pytest.mark.parametrize("block", [2, -3])
def test_blocks_that_are_not_there_are_refused(attend, make_raster, scene_db, block):
    with pytest.raises(InputError, match=f"no block {block}"):
        attend(make_raster(scene_db(9, 9)), block=block)


@pytest.mark.parametrize("mass", [0.0, 1.5])
def test_shares_that_are_none_are_refused(attend, make_raster, scene_db, tmp_path, mass):
    with pytest.raises(InputError, match="above 0 and at most 1"):
        attend(make_raster(scene_db(9, 9)), mass=mass, masks=tmp_path / "m.tif")


def test_a_mass_without_masks_is_refused(attend, make_raster, scene_db, tmp_path):
    with pytest.raises(InputError, match="without masks"):
        attend(make_raster(scene_db(9, 9)), mass=0.6)
    assert not (tmp_path / "a.tif").exists()
