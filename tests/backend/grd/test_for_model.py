"""All commands take products as input, and calibrate them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform

from backend.cli.similarity_query import Query
from backend.cli.similarity_server import SimilarityServer
from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.errors import InputError
from backend.grd import pipeline
from backend.grd.for_model import calibrated
from backend.grd.request import Slopes
from tests.support.backend.listener import Listener
from tests.support.make_safe import NAME, Scene, make_safe, simulated, zip_safe
from tests.support.mountain import dem_of
from tests.support.safe.orbit import Imaged, seen


def values_of(path):
    with rasterio.open(path) as file:
        return file.read()


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_land_cover_of_a_product_is_that_of_its_calibration(cli, product, tiny_model, tmp_path):
    assert cli("calibrate", product, tmp_path / "c.tif")[0] == 0
    run = ("--model", tiny_model, "--device", "cpu")
    assert cli("landcover", tmp_path / "c.tif", tmp_path / "a.tif", *run)[0] == 0
    pattern = product.with_name(NAME[:10] + "*")
    for given in (product, product / "manifest.safe", zip_safe(product, tmp_path / "z.zip"), pattern):
        code, _, err = cli("landcover", given, tmp_path / "b.tif", *run, "--overwrite")
        assert code == 0 and "first calibrated to gamma0, on a grid of 10 m, without terrain correction" in err
        a, b = values_of(tmp_path / "a.tif"), values_of(tmp_path / "b.tif")
        assert np.array_equal(a, b) and a.any()
    with rasterio.open(tmp_path / "b.tif") as b, rasterio.open(tmp_path / "c.tif") as c:
        assert b.transform == c.transform and b.crs == c.crs
    assert cli("landcover", product / "manifest.safe", tmp_path / "d.tif", *run)[0] == 0
    with rasterio.open(tmp_path / "d.tif") as file:
        assert file.tags()["SARDINO_INPUT"] == NAME
    assert not [name for name in left_in(tmp_path) if name.startswith(".")]


@pytest.mark.parametrize("task", ["landcover", "attention", "embed"])
def test_the_map_of_an_extent_is_that_part_of_the_whole(cli, tiny_model, tmp_path, task):
    product = make_safe(tmp_path, Scene(shape=(260, 300)))
    run = ("--model", tiny_model, "--device", "cpu")
    assert cli(task, product, tmp_path / "whole.tif", *run)[0] == 0
    with rasterio.open(tmp_path / "whole.tif") as file:
        whole, place, crs = file.read(), file.transform, file.crs
    rows, columns = whole.shape[1:]
    x, y = place * (np.array([columns * 0.37, columns * 0.71]), np.array([rows * 0.73, rows * 0.41]))
    (west, east), (south, north) = transform(crs, "EPSG:4326", x, y)
    assert cli(task, product, tmp_path / "part.tif", *run, "--extent", west, south, east, north)[0] == 0
    with rasterio.open(tmp_path / "part.tif") as file:
        part, corner = file.read(), file.transform
    left, top = (round(number) for number in ~place * (corner.c, corner.f))
    same = whole[:, top : top + part.shape[1], left : left + part.shape[2]]
    assert part.shape[1] < 0.4 * rows and corner == place * place.translation(left, top)
    assert np.allclose(part, same, rtol=1e-3, atol=1e-4, equal_nan=True) or (part == same).mean() > 0.999


def test_values_of_a_product_are_checked(cli, product, tiny_model, tmp_path):
    run = ("--model", tiny_model, "--device", "cpu", "--progress", "json")
    code, out, _ = cli("landcover", product, tmp_path / "o.tif", *run)
    checks = {check["name"]: check["verdict"] for check in json.loads(out.splitlines()[-1])["checks"]}
    assert code == 0 and checks["level of VV"] == checks["VV - VH"] == "ok"
    assert checks["terrain correction"] == "warning"
    # Stronger in VH than in VV, as no place is.
    odd = make_safe(tmp_path, Scene(shape=(120, 150), cross=lambda line, sample: 1.6 * simulated(line, sample)))
    code, _, err = cli("landcover", odd, tmp_path / "p.tif", *run[:4])
    assert code == 1 and "VV is weaker than VH" in err and "Download it again" in err
    assert not (tmp_path / "p.tif").exists()
    assert cli("landcover", odd, tmp_path / "p.tif", *run[:4], "--accept-values")[0] == 0


def test_calibration_and_map_have_a_bar_each(cli, product, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr("backend.core.events.REDRAW_S", 0)
    code, out, _ = cli(
        "landcover", product, tmp_path / "o.tif", "--model", tiny_model, "--device", "cpu", "--progress", "json"
    )
    steps = [event for event in map(json.loads, out.splitlines()) if event["event"] == "progress"]
    totals = list(dict.fromkeys(event["total"] for event in steps))
    assert code == 0 and len(totals) == 2
    for total in totals:
        part = [event["done"] for event in steps if event["total"] == total]
        assert part == sorted(part) and part[-1] == total
    # The pace of the calibration says nothing about that of the model.
    assert next(event for event in steps if event["total"] == totals[1])["eta_s"] in (None, 0)


def test_attention_embeddings_and_similarity_take_products_too(cli, product, tiny_model, tmp_path):
    run = ("--model", tiny_model, "--device", "cpu")
    with rasterio.open(next(product.glob("measurement/*-vv-*"))) as file:
        west, south = (min(values) for values in zip(*((p.x, p.y) for p in file.gcps[0])))
    extent = ("--extent", west + 0.003, south + 0.003, west + 0.012, south + 0.009)
    point = ("--point", west + 0.008, south + 0.006)
    assert cli("attention", product, tmp_path / "a.tif", *run)[0] == 0
    assert cli("embed", product, tmp_path / "e.tif", *run, *extent)[0] == 0
    code, _, err = cli("similarity", product, tmp_path / "s.tif", *run, *point)
    assert code == 0, err
    with rasterio.open(tmp_path / "s.tif") as file:
        (x,), (y,) = transform("EPSG:4326", file.crs, [point[1]], [point[2]])
        assert file.read(1)[file.index(x, y)] == pytest.approx(1, abs=1e-4)
    with rasterio.open(tmp_path / "e.tif") as file:
        assert file.width < 14 and np.isfinite(file.read()).any()
    code, _, err = cli("similarity", product, tmp_path / "t.tif", *run, "--point", 0, 0)
    assert code == 1 and "outside" in err and not (tmp_path / "t.tif").exists()


@pytest.mark.parametrize("options", [("--bands", "1", "2"), ("--units", "db")])
def test_bands_and_units_of_a_product_are_refused(cli, product, tiny_model, tmp_path, options):
    code, _, err = cli("landcover", product, tmp_path / "o.tif", "--model", tiny_model, *options)
    assert code == 1 and "without bands and units" in err and not left_in(tmp_path)


def test_a_product_with_other_files_is_refused(cli, product, tiny_model, make_raster, scene_db, tmp_path):
    raster = make_raster(scene_db(20, 20))
    for first, second in ((product, raster), (raster, product / "manifest.safe")):
        code, _, err = cli("landcover", first, tmp_path / "o.tif", "--with", second, "--model", tiny_model)
        assert code == 1 and "Give the product alone" in err and left_in(tmp_path) == ["scene.tif"]


def test_polarisations_that_are_not_there_are_refused(cli, tiny_model, tmp_path):
    folder = make_safe(tmp_path, Scene(shape=(30, 40), polarisations=("HH", "HV")))
    code, _, err = cli("landcover", folder, tmp_path / "o.tif", "--model", tiny_model)
    assert code == 1 and "HH, HV" in err and "VV, VH" in err and left_in(tmp_path) == [NAME]


def test_a_polarisation_may_be_missing_if_the_model_allows_it(tmp_path, card):
    folder = make_safe(tmp_path, Scene(shape=(30, 40), polarisations=("VV",)))
    output = tmp_path / "o.tif"
    with calibrated(str(folder), output, card(allows_missing_bands=True), None, Slopes(), Context(Listener())) as (
        path,
        _,
    ):
        with rasterio.open(path) as file:
            assert file.descriptions == ("VV",) and np.isfinite(file.read()).any()
    with pytest.raises(InputError, match="has the polarisations VV; the model wants VV, VH"):
        with calibrated(str(folder), output, card(), None, Slopes(), Context(Listener())):
            pass
    assert left_in(tmp_path) == [NAME]


def test_an_existing_output_is_refused_before_the_calibration(cli, product, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "RadarFile", None)  # would fail
    (tmp_path / "o.tif").touch()
    code, _, err = cli("landcover", product, tmp_path / "o.tif", "--model", tiny_model)
    assert code == 1 and "exists" in err


def test_uncalibrated_parts_are_refused_with_a_hint(cli, product, tiny_model, tmp_path, make_raster):
    (image,) = product.glob("measurement/*-vv-*")
    numbers = make_raster(np.random.default_rng(0).integers(50, 400, (2, 64, 64)).astype(np.uint16), "dn.tif")
    for given in (image, f"SENTINEL1_CALIB:UNCALIB:{product}/manifest.safe:IW:AMPLITUDE", numbers):
        code, _, err = cli("landcover", given, tmp_path / "o.tif", "--model", tiny_model)
        assert code == 1 and "python -m backend calibrate" in err and "sardino:calibrate" in err


def test_a_click_on_a_product_is_refused(product, tiny_model, tmp_path):
    query = Query(str(product), ((9.2, 45.9),), tmp_path / "o.tif", model=str(tiny_model))
    with pytest.raises(InputError, match="takes minutes"):
        SimilarityServer("cpu", Cancel()).answer(query, Listener())


def test_info_of_a_product(cli, product):
    code, out, _ = cli("info", product, "--progress", "json")
    facts = json.loads(out)["product"]
    assert code == 0 and facts["name"] == NAME and facts["polarisations"] == ["VV", "VH"]
    assert (facts["lines"], facts["samples"], facts["pixel_metres"]) == (120, 150, 10)


def test_a_product_is_mapped_on_its_terrain(cli, tiny_model, tmp_path):
    geometry = Imaged(shape=(120, 160))
    relief = make_safe(tmp_path, seen(geometry, numbers=simulated, polarisations=("VV", "VH")))
    dem = dem_of(tmp_path / "dem.tif", geometry, lambda values, x, y: 0.3 * values, reach=0.05)
    options = ("--dem", dem, "--dem-heights", "ellipsoid", "--flatten", "--mask-nodata")
    assert cli("calibrate", relief, tmp_path / "c.tif", *options)[0] == 0
    run = ("--model", tiny_model, "--device", "cpu")
    code, _, err = cli("landcover", tmp_path / "c.tif", tmp_path / "a.tif", *run)
    assert code == 0, err
    code, out, err = cli("landcover", relief, tmp_path / "b.tif", *run, *options, "--progress", "json")
    assert code == 0, err
    assert "with terrain correction and flattening" in out
    assert np.array_equal(values_of(tmp_path / "a.tif"), values_of(tmp_path / "b.tif"))
    code, _, err = cli("landcover", tmp_path / "c.tif", tmp_path / "d.tif", *run, "--dem", dem)
    assert code == 1 and "is a raster on a map" in err and not (tmp_path / "d.tif").exists()
