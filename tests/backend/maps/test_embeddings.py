"""Embeddings: grids, values, blending, nodata, and the picture of their components."""

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine

from backend.core.errors import InputError
from backend.maps.embeddings import embed
from backend.maps.request import Request
from backend.network.weights import load_model


@pytest.fixture
def run(tiny_model, tmp_path):
    def call(scene, name="e.tif", extent=None, **options):
        request = Request(str(scene), tmp_path / name, tiny_model, device="cpu", overwrite=True, extent=extent)
        facts = embed(request, **options)
        with rasterio.open(tmp_path / name) as file:
            return file.read(), file.profile, facts

    return call


def test_a_pixel_a_patch_in_register_with_the_input(run, make_raster, scene_db):
    scene = make_raster(scene_db(100, 203))
    values, profile, facts = run(scene)
    assert values.shape == (32, 13, 26) and profile["dtype"] == "float32" and np.isnan(profile["nodata"])
    assert profile["transform"] == Affine(80, 0, 500_000, 0, -80, 4_600_000)
    assert profile["crs"].to_epsg() == 32630
    assert np.isfinite(values).all()
    assert facts["outputs"]["output"].endswith("e.tif")


def test_a_scene_of_one_tile_has_the_tokens_of_the_network(run, make_raster, scene_db, tiny_model):
    db = scene_db(64, 64)
    for block in (-1, 0):
        values, _, _ = run(make_raster(db), block=block)
        model, card = load_model(tiny_model)
        x = np.stack([(np.clip(v, *b.clip) - b.mean) / b.std for v, b in zip(db, card.bands)])
        with torch.inference_mode():
            expected = model.tokens(torch.from_numpy(x.astype(np.float32))[None], block)[0].numpy()
        np.testing.assert_allclose(values, expected, atol=1e-4)


def test_the_input_grid_is_the_same_tokens_interpolated(run, make_raster, scene_db):
    db = scene_db(90, 75)
    db[:, 40:60, 30:50] = np.nan
    scene = make_raster(db)
    patches, _, _ = run(scene)
    pixels, profile, _ = run(scene, grid="input")
    assert pixels.shape == (32, 90, 75)
    assert profile["transform"] == Affine(10, 0, 500_000, 0, -10, 4_600_000)
    np.testing.assert_array_equal(np.isnan(pixels), np.broadcast_to(np.isnan(db[0]), pixels.shape))
    # Pixels 15 and 16 lie on either side of the middle between patches 1 and 2.
    middle = pixels[:, 15:17, 15:17].mean(axis=(1, 2))
    np.testing.assert_allclose(middle, patches[:, 1:3, 1:3].mean(axis=(1, 2)), atol=1e-4)


def test_patches_without_any_valid_pixel_are_no_data(run, make_raster, scene_db):
    db = scene_db(128, 128)
    db[:, 8:24, 8:30] = np.nan  # patches 1 and 2 down; 1 and 2 across wholly, 3 in part
    values, _, _ = run(make_raster(db))
    empty = np.zeros((16, 16), dtype=bool)
    empty[1:3, 1:3] = True
    np.testing.assert_array_equal(np.isnan(values), np.broadcast_to(empty, values.shape))


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (1, 300), (65, 64)])
def test_rasters_of_any_small_size(run, make_raster, scene_db, shape, tmp_path):
    values, _, _ = run(make_raster(scene_db(*shape)), pca=tmp_path / "p.tif")
    assert values.shape == (32, -(-shape[0] // 8), -(-shape[1] // 8)) and np.isfinite(values).all()


def test_patches_have_the_models_size_on_the_ground(run, make_raster, scene_db):
    scene = make_raster(scene_db(128, 96), transform=Affine(5, 0, 500_000, 0, -5, 4_600_000))
    values, profile, _ = run(scene)
    assert values.shape == (32, 8, 6)
    assert profile["transform"] == Affine(80, 0, 500_000, 0, -80, 4_600_000)


def test_an_extent_gets_all_patches_that_it_touches(run, make_raster, scene_db):
    values, profile, _ = run(make_raster(scene_db(100, 100)), extent=(500203, 4599403, 500517, 4599797))
    assert values.shape == (32, 6, 5)
    assert profile["transform"] == Affine(80, 0, 500_160, 0, -80, 4_599_840)


def test_the_picture_of_a_scene_in_strips_is_that_of_the_whole(run, make_raster, scene_db, tmp_path):
    """The stream sees the scene in ten rows of tiles; numpy sees all tokens at once."""
    db = scene_db(330, 200)
    db[:, :100, :64] = np.nan
    scene = make_raster(db)
    tokens, _, _ = run(scene, pca=tmp_path / "p.tif")
    with rasterio.open(tmp_path / "p.tif") as file:
        colours, profile = file.read(), file.profile
        assert [kind.name for kind in file.colorinterp] == ["red", "green", "blue"]
    assert profile["nodata"] == 0 and profile["dtype"] == "uint8"
    valid = np.isfinite(tokens[0])
    assert 0 < valid.sum() < valid.size
    np.testing.assert_array_equal((colours == 0).all(axis=0), ~valid)
    np.testing.assert_array_equal((colours > 0).all(axis=0), valid)
    x = tokens[:, valid].T.astype(np.float64)
    x -= x.mean(axis=0)
    _, sizes, axes = np.linalg.svd(x, full_matrices=False)
    for band in range(3):
        axis = axes[band] * np.sign(axes[band][np.abs(axes[band]).argmax()])
        deviation = sizes[band] / np.sqrt(len(x))
        expected = np.clip(128 + x @ axis * 127 / (2 * deviation), 1, 255)
        np.testing.assert_allclose(colours[band][valid], expected, atol=1)


def test_the_picture_has_the_same_colours_on_either_grid(run, make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(72, 80))
    found = {}
    for grid in ("patch", "input"):
        run(scene, grid=grid, pca=tmp_path / "p.tif")
        with rasterio.open(tmp_path / "p.tif") as file:
            found[grid] = file.read().astype(int)
    # The middle of the four pixels about the centre of a patch is the patch's own value, where colours aren't cut off.
    centres = found["input"].reshape(3, 9, 8, 10, 8)[:, :, 3:5, :, 3:5].mean(axis=(2, 4))
    inner = np.abs(found["patch"] - 128) < 100
    assert np.abs(centres - found["patch"])[inner].mean() < 4


def test_no_tile_grid_shows(run, make_raster, scene_db):
    """The mean step between patches across the borders of tiles is at most 1.1 times that elsewhere."""
    values, _, _ = run(make_raster(scene_db(392, 392, seed=4)))
    for axis in (1, 2):
        steps = np.abs(np.diff(values, axis=axis)).mean(axis=(0, 3 - axis))
        # Tiles of 8 patches begin every 4.
        borders = np.arange(1, 49) % 4 == 0
        assert steps[borders].mean() <= 1.1 * steps[~borders].mean()


def test_equal_runs_write_equal_bytes(run, make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(100, 90))
    for name in ("a", "b"):
        run(scene, f"{name}.tif", pca=tmp_path / f"{name}-pca.tif")
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    assert (tmp_path / "a-pca.tif").read_bytes() == (tmp_path / "b-pca.tif").read_bytes()


def test_a_failure_in_the_picture_leaves_nothing(run, make_raster, scene_db, tmp_path, monkeypatch):
    from backend.maps import embeddings as module

    def fail(*_):
        raise OSError("no")

    scene = make_raster(scene_db(50, 50))
    monkeypatch.setattr(module, "picture", fail)
    with pytest.raises(OSError):
        run(scene, pca=tmp_path / "p.tif")
    assert [path.name for path in tmp_path.iterdir()] == [scene.name]


def test_a_block_that_is_not_there_is_refused(run, make_raster, scene_db):
    with pytest.raises(InputError, match="no block 2"):
        run(make_raster(scene_db(9, 9)), block=2)
