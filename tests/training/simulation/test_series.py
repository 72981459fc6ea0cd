"""Simulated dates of one place: the same land, other conditions, speckle of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from backend.card import worldcover as lc
from backend.raster.acquisition import acquired
from backend.raster.source import RasterSource
from training import simulate
from training.data.splits import read_splits
from training.simulation.climate import Climate
from training.simulation.folder import SimulationRequest, write_folder
from training.simulation.scene import noise_free_power
from training.simulation.season import CALENDARS, draw_year, growth_of
from training.simulation.series import simulate_series

CLIMATE = Climate((0.0, 0.0), True, 0.0, 0.0, 0.0, 0.0, 0.0, 38.0, 1)


@pytest.fixture(scope="module")
def dates():
    """Twelve dates over forest, fields, grass and a lake, a quarter each, with exact labels."""
    layout = np.kron([[lc.TREE, lc.CROP], [lc.GRASS, lc.WATER]], np.ones((64, 64))).astype(np.uint8)
    made = simulate_series(np.random.default_rng(4), layout, 12, label_jitter=0, nodata_chance=0)
    return layout, made


def test_dates_show_the_same_land_with_speckle_of_their_own(dates):
    layout, made = dates
    assert [each.day for each in made] == sorted(each.day for each in made) and len(made) == 12
    db = np.stack([each.scene.db for each in made])
    inner = db[:, 0, 4:60, 4:60]  # forest, without its edge
    quiet = inner - inner.mean(axis=(1, 2), keepdims=True)
    shared = np.corrcoef(quiet.reshape(12, -1))[np.triu_indices(12, 1)]
    assert 0 < np.median(shared) < 0.75  # texture is shared, speckle isn't
    # Speckle of 4 to 6 looks: the mean of twelve varies much less than a date.
    assert quiet.mean(axis=0).std() < 0.7 * quiet.std(axis=(1, 2)).mean()


def test_kinds_of_crops_change_field_by_field_and_nothing_else(dates):
    layout, _ = dates
    bare, grown = (
        noise_free_power(np.random.default_rng(2), layout, replace(CLIMATE, crops=crops))
        for crops in ((-0.5, -0.5, 0.5), (0.5, -0.5, 0.5))
    )
    change = [10 * np.log10(after / before) for before, after in zip(bare, grown)]
    crop = layout == lc.CROP
    for band, most in zip(change, (2.0, 3.4)):
        assert np.abs(band[~crop]).max() < 1e-3
        assert 0.9 * most < band[crop].max() < 1.05 * most


def test_wind_moves_water_alone(dates):
    layout, made = dates
    db = np.stack([each.scene.db[0] for each in made])
    lake, forest = db[:, 70:122, 70:122].mean(axis=(1, 2)), db[:, 4:60, 4:60].mean(axis=(1, 2))
    assert lake.std() > forest.std()


def test_floods_are_water_on_their_date_alone():
    layout = np.full((96, 96), lc.GRASS, np.uint8)
    layout[:, :30] = lc.WATER
    made = simulate_series(np.random.default_rng(1), layout, 60, label_jitter=0, nodata_chance=0)
    flooded = [(each.scene.labels == lc.WATER) & (layout == lc.GRASS) for each in made]
    some = [n for n, where in enumerate(flooded) if where.sum() > 100]
    assert 1 <= len(some) <= 20
    n = some[0]
    wet, dry = made[n].scene.db[0][flooded[n]].mean(), made[n].scene.db[0][:, 80:].mean()
    assert dry - wet > 4
    assert all((each.scene.labels[layout == lc.WATER] == lc.WATER).all() for each in made)


def test_crops_follow_their_calendars():
    for emergence, peak, harvest in CALENDARS:
        states = [growth_of(day, (emergence, peak, harvest)) for day in range(365)]
        assert max(states) == pytest.approx(0.5) and min(states) == -0.5
        assert abs(int(np.argmax(states)) - peak) <= 1 and states[(harvest + 2) % 365] == -0.5
    year = draw_year(np.random.default_rng(0), CLIMATE, 24)
    assert len({occasion.seed for occasion in year}) == 24
    assert all(occasion.climate.gain == CLIMATE.gain for occasion in year)


def test_a_folder_of_dates(tmp_path: Path, capsys):
    arguments = ["--scenes", "2", "--seed", "3", "--dates", "3", "--size", "64"]
    assert simulate.main(["--out", str(tmp_path / "a"), *arguments]) == 0
    write_folder(SimulationRequest(tmp_path / "b", 2, 3, size=64, dates=3), jobs=2)
    images = sorted((tmp_path / "a" / "images").glob("*.tif"))
    assert len(images) == 6
    for image in images:
        assert image.read_bytes() == (tmp_path / "b" / "images" / image.name).read_bytes()
        assert (tmp_path / "a" / "labels" / image.name).is_file()
    with RasterSource(images[0]) as source:
        assert acquired(source).text.replace("-", "") == images[0].stem[-8:]
    groups = {row["name"][:18]: row["group"] for row in read_splits(tmp_path / "a")}
    assert len(groups) == 2  # all dates of a place have its group
    with rasterio.open(images[0]) as one, rasterio.open(images[1]) as other:
        assert one.transform == other.transform
