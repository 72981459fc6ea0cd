"""Land cover of several dates: joined probabilities, validity of each date, agreement, grids and extents."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from affine import Affine

from backend.stream.decision import decision
from backend.stream.several import FLOOR, joined
from tests.backend.conftest import tiny_card

ORIGIN = Affine(10, 0, 500000, 0, -10, 4_600_000)


def values_of(path):
    with rasterio.open(path) as file:
        return file.read()


@pytest.fixture
def mapped(cli, tiny_model, tmp_path):
    """Map dates, and return classes, probabilities and agreement (None for a single date)."""

    def run(first, *dates, options=()):
        names = ["map", "shares", *(["agreement"] if dates else [])]
        paths = {name: tmp_path / f"{name}.tif" for name in names}
        arguments = [item for date in dates for item in ("--date", date)]
        arguments += ["--probabilities", paths["shares"], *(["--agreement", paths["agreement"]] if dates else [])]
        code, out, err = cli(
            "landcover", first, paths["map"], *arguments, "--model", tiny_model, "--device", "cpu", "--overwrite",
            "--progress", "json", *options,
        )  # fmt: skip
        assert code == 0, err
        run.result = json.loads(out.splitlines()[-1])
        run.messages = " ".join(json.loads(line).get("message", "") for line in out.splitlines())
        return [values_of(path) for path in paths.values()]

    return run


def test_probabilities_are_joined_date_by_date(mapped, scene_db, make_raster, tmp_path):
    paths = [make_raster(scene_db(60, 60, seed), f"S1_2021010{seed + 1}.tif") for seed in range(3)]
    each = np.stack([mapped(path)[1] for path in paths])
    classes, shares, agreement = mapped(*paths)
    logs = np.log(np.maximum(each, FLOOR)).mean(axis=0)
    wanted = np.exp(logs) / np.exp(logs).sum(axis=0)
    assert np.allclose(shares, wanted, atol=1e-5)
    card = tiny_card()
    decide, values = decision(card.classes), np.array([item.value for item in card.classes])
    assert np.array_equal(classes[0], values[decide(shares)])
    votes = np.mean([values[decide(date)] == classes[0] for date in each], axis=0)
    assert np.allclose(agreement[0], votes, atol=1e-6) and 0 < (votes < 1).mean() < 1
    assert mapped.result["dates"] == ["2021-01-01", "2021-01-02", "2021-01-03"]
    with rasterio.open(tmp_path / "map.tif") as file:
        assert file.tags()["SARDINO_DATES"] == "2021-01-01,2021-01-02,2021-01-03"
        assert file.tags()["SARDINO_ACQUIRED_END"] == "2021-01-03"


def test_a_date_counts_where_it_has_data(mapped, scene_db, make_raster):
    one, two = scene_db(60, 60), scene_db(60, 60, 1)
    one[:, :20], two[:, 40:], one[:, 25, 25], two[:, 25, 25] = np.nan, np.nan, np.nan, np.nan
    paths = [make_raster(values, f"{n}.tif", nodata=np.nan) for n, values in enumerate((one, two))]
    each = [mapped(path)[1] for path in paths]
    classes, shares, agreement = mapped(*paths)
    assert np.allclose(shares[:, :20], each[1][:, :20], atol=1e-5)
    assert np.allclose(shares[:, 40:], each[0][:, 40:], atol=1e-5)
    assert classes[0, 25, 25] == 0 and np.isnan(shares[:, 25, 25]).all() and np.isnan(agreement[0, 25, 25])
    assert (classes[0] == 0).sum() == 1


@pytest.mark.parametrize("metres", [10, 20])
def test_one_date_twice_is_that_date(mapped, scene_db, make_raster, metres):
    """Over several tiles, resampled and not; the second on a larger grid, moved by whole pixels."""
    place = ORIGIN * Affine.scale(metres / 10)
    large = scene_db(150, 130)
    first = make_raster(large[:, 10:, 20:], "first.tif", transform=place * Affine.translation(20, 10))
    second = make_raster(10 ** (large / 10), "second.tif", transform=place)
    classes, shares = mapped(first)
    again, joint, agreement = mapped(first, second)
    assert np.allclose(joint, shares, atol=1e-4) and (again == classes).mean() > 0.999
    assert np.nanmean(agreement) > 0.99
    assert "lie on another grid" not in mapped.messages


def test_an_extent_is_that_part_of_the_whole(mapped, scene_db, make_raster):
    first = make_raster(scene_db(150, 140), "first.tif")
    second = make_raster(scene_db(160, 160, 1), "second.tif", transform=ORIGIN * Affine.translation(-3.4, -2.7))
    whole = mapped(first, second)
    assert "1 of them lie on another grid" in mapped.messages
    part = mapped(first, second, options=("--extent", 500300, 4_599_000, 500900, 4_599_500))
    for values, of_whole in zip(part, whole):
        assert np.allclose(values, of_whole[:, 50:100, 30:90], atol=1e-5, equal_nan=True)


def test_a_product_is_a_date(mapped, cli, make_raster, tmp_path, tiny_model):
    from tests.support.make_safe import Scene, make_safe

    product = make_safe(tmp_path, Scene(shape=(60, 80)))
    assert cli("calibrate", product, tmp_path / "first.tif")[0] == 0
    classes, shares = mapped(tmp_path / "first.tif")
    again, joint, _ = mapped(tmp_path / "first.tif", product)
    assert (again[0] == classes[0]).mean() > 0.99 and mapped.result["dates"] == ["2021-04-01", "2021-04-01"]


def test_refusals(cli, tiny_model, scene_db, make_raster, tmp_path):
    first = make_raster(scene_db(40, 40), "first.tif")
    away = make_raster(scene_db(40, 40), "away.tif", transform=ORIGIN * Affine.translation(900, 0))
    single = make_raster(scene_db(40, 40)[:1], "single.tif", ())
    constant = make_raster(np.full((2, 40, 40), 3e4, np.float32), "raw.tif")
    for options, words in (
        (("--date", first), "named twice among the dates"),
        (("--date", away), "doesn't overlap"),
        (("--date", constant), "raw.tif"),
        (("--date", single), "single.tif: The raster has 1 band"),
        (("--date", tmp_path / "none*.tif"), "No file matches"),
        (("--agreement", tmp_path / "a.tif"), "Add --date"),
    ):
        code, _, err = cli("landcover", first, tmp_path / "map.tif", "--model", tiny_model, "--device", "cpu", *options)
        assert code == 1 and words in err, err
        assert not (tmp_path / "map.tif").exists()


def test_no_date_decides_alone():
    sure, others = np.array([1 - 1e-9, 1e-9]), np.array([0.2, 0.8])
    answers = [each.astype(np.float32).reshape(2, 1, 1) for each in (sure, *[others] * 9)]
    shares = joined(answers, np.ones((10, 1, 1), bool))[:, 0, 0]
    logs = np.log([1, FLOOR]) + 9 * np.log(others)
    assert np.allclose(shares[1], 1 / (1 + np.exp((logs[0] - logs[1]) / 10)), atol=1e-5)
