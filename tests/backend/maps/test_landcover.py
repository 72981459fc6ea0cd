"""Real, small model; real files; the functions behind the command line."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from backend.core.errors import InputError, ResourceError
from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from backend.radiometry.units import Units
from tests.support.backend.listener import Listener


@pytest.fixture
def run(tiny_model, tmp_path):
    def call(scene, name="out.tif", roles=(), **options):
        more = {role: tmp_path / f"{role}.tif" for role in roles}
        request = Request(str(scene), tmp_path / name, tiny_model, device="cpu", overwrite=True, **options)
        facts = landcover(request, **more)
        with rasterio.open(tmp_path / name) as file:
            return file.read(1), file.profile, facts

    return call


def test_the_map_has_the_grid_of_the_input_and_the_legend(run, make_raster, scene_db, tmp_path):
    values = scene_db(150, 203)
    values[:, :60, :70] = np.nan
    values[1, 149, 202] = np.nan
    classes, profile, facts = run(make_raster(values), roles=("confidence", "probabilities"))
    assert profile["transform"] == from_origin(500000, 4_600_000, 10, 10)
    assert profile["crs"].to_epsg() == 32630
    np.testing.assert_array_equal(classes == 0, ~np.isfinite(values).all(axis=0))
    assert set(np.unique(classes)) <= {0, 10, 40, 80}
    assert {c["value"]: c["pixels"] for c in facts["classes"]} == {v: int((classes == v).sum()) for v in (10, 40, 80)}
    with rasterio.open(tmp_path / "confidence.tif") as file:
        confidence = file.read(1)
    with rasterio.open(tmp_path / "probabilities.tif") as file:
        assert file.descriptions[0] == "Tree cover"
        probabilities = file.read()
    valid = classes > 0
    np.testing.assert_array_equal(np.isnan(confidence), ~valid)
    np.testing.assert_allclose(probabilities[:, valid].sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(np.array([10, 40, 80])[probabilities[:, valid].argmax(axis=0)], classes[valid])
    np.testing.assert_array_equal(probabilities[:, valid].max(axis=0), confidence[valid])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (7, 5), (64, 64)])
def test_rasters_of_any_small_size_are_mapped_wholly(run, make_raster, scene_db, shape):
    classes, _, _ = run(make_raster(scene_db(*shape)))
    assert classes.shape == shape
    assert (classes > 0).all()


def test_units_do_not_change_the_map(run, make_raster, scene_db):
    db = scene_db(90, 90)
    maps = [run(make_raster(db))[0]]
    for units, values in ((Units.LINEAR_POWER, 10 ** (db / 10)), (Units.AMPLITUDE, 10 ** (db / 20))):
        scene = make_raster(values.astype(np.float32), f"{units.value}.tif")
        maps += [run(scene, units=units)[0], run(scene)[0]]
    for other in maps[1:]:
        assert (maps[0] == other).mean() > 0.99


def test_equal_runs_write_equal_bytes(run, make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(200, 130))
    run(scene, "a.tif")
    run(scene, "b.tif")
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


@pytest.mark.parametrize("crs, pixel", [("EPSG:32630", 5.0), ("EPSG:32630", 30.0), ("EPSG:4326", 0.0001)])
def test_other_pixel_sizes_come_back_to_the_input_grid(run, make_raster, scene_db, crs, pixel, tmp_path):
    values = scene_db(101, 67)
    values[:, :30, :20] = np.nan
    transform = from_origin(-3, 45, pixel, pixel) if pixel < 1 else from_origin(5e5, 4e6, pixel, pixel)
    scene = make_raster(values, crs=crs, transform=transform)
    classes, profile, _ = run(scene, roles=("confidence", "probabilities"))
    assert (profile["transform"], profile["crs"].to_string()) == (transform, crs)
    np.testing.assert_array_equal(classes == 0, np.isnan(values[0]))
    with rasterio.open(tmp_path / "probabilities.tif") as file:
        probabilities = file.read()
    np.testing.assert_allclose(probabilities[:, classes > 0].sum(axis=0), 1, atol=1e-5)
    with rasterio.open(tmp_path / "confidence.tif") as file:
        confidence = file.read(1)
    for band, value in enumerate((10, 40, 80)):
        np.testing.assert_array_equal(confidence[classes == value], probabilities[band][classes == value])


def test_borders_of_zero_db_are_no_data_and_told(tiny_model, make_raster, scene_db, tmp_path):
    told, values = Listener(), scene_db(90, 90)
    values[:, :20] = 0
    request = Request(str(make_raster(values)), tmp_path / "o.tif", tiny_model, device="cpu")
    landcover(request, context=MapContext(told))
    with rasterio.open(tmp_path / "o.tif") as file:
        classes = file.read(1)
    assert (classes[:20] == 0).all() and (classes[20:] > 0).all()
    assert any("exactly 0, read as nodata" in message for message in told.warnings)


def test_an_extent_is_mapped_alone(run, make_raster, scene_db):
    classes, profile, _ = run(make_raster(scene_db(100, 100)), extent=(500203, 4599403, 500517, 4599797))
    assert classes.shape == (40, 32)
    assert profile["transform"] == from_origin(500200, 4599800, 10, 10)


def test_an_old_file_is_kept_by_a_refusal_and_then_replaced(run, make_raster, scene_db, tmp_path):
    (tmp_path / "out.tif").write_bytes(b"older")
    scene = make_raster(scene_db(30, 30))
    with pytest.raises(InputError):
        run(scene, units=Units.LINEAR_POWER)
    assert (tmp_path / "out.tif").read_bytes() == b"older"
    run(scene)


def test_a_device_that_is_not_there_is_refused(run, make_raster, scene_db, tiny_model, tmp_path):
    from backend.engines.pytorch import available_devices

    missing = next(d for d in ("mps", "cuda") if d not in available_devices())
    request = Request(str(make_raster(scene_db(9, 9))), tmp_path / "o.tif", tiny_model, device=missing)
    with pytest.raises(ResourceError, match=missing) as refusal:
        landcover(request)
    assert refusal.value.hint and not (tmp_path / "o.tif").exists()


@pytest.mark.parametrize("kind", ["edge", "diagonal", "hole", "lines", "one band"])
def test_nodata_changes_nothing_beside_it_in_an_even_scene(run, make_raster, tmp_path, kind):
    def confidence():
        with rasterio.open(tmp_path / "confidence.tif") as file:
            return file.read(1)

    values = np.full((2, 150, 170), -21, dtype=np.float32)
    values[1] = -27
    run(make_raster(values, "whole.tif"), roles=("confidence",), accept_values=True)
    whole = confidence()
    rows, columns = np.mgrid[:150, :170]
    valid = {
        "edge": columns >= 43,
        "diagonal": columns + 0.3 * rows > 70,
        "hole": (rows - 70) ** 2 + (columns - 80) ** 2 > 400,
        "lines": (rows % 40 != 17) & (columns % 60 != 31),
        "one band": columns >= 43,
    }[kind]
    values[1 if kind == "one band" else slice(None), ~valid] = np.nan
    run(make_raster(values), roles=("confidence",), accept_values=True)
    np.testing.assert_array_equal(confidence(), np.where(valid, whole, np.nan))
