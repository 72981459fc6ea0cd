"""Check the statistics of simulated backscatter: looks, correlation, levels, noise floor, geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from backend.card import worldcover as lc
from training.simulation.climate import draw_climate
from training.simulation.fields import gaussian_field, parcels
from training.simulation.labels import displaced
from training.simulation.layout import procedural
from training.simulation.receiver import draw_looks
from training.simulation.relief import slope_gain
from training.simulation.sample import NODATA, SCALE, SHAPE, write_sample
from training.simulation.scene import sheltered, simulate
from training.simulation.signature import draw_levels
from training.simulation.speckle import speckle


@pytest.mark.parametrize("looks", [3.0, 4.4, 12.0])
@pytest.mark.parametrize("lag1", [0.5, 0.65, 0.8])
def test_speckle_has_the_looks_and_correlation_asked_for(looks: float, lag1: float) -> None:
    power = speckle(np.random.default_rng(1), (400, 400), looks, (lag1, lag1))
    assert power.min() > 0
    assert power.mean() == pytest.approx(1.0, abs=0.03)
    assert power.mean() ** 2 / power.var() == pytest.approx(looks, rel=0.08)
    for axis in (0, 1):
        moved = np.roll(power, 1, axis)
        assert np.corrcoef(power.ravel(), moved.ravel())[0, 1] == pytest.approx(lag1, abs=0.06)


# Measured at 500 points over the world: VV, VH, spread of VV between places, least correlation of VV and VH.
MEASURED = {
    lc.TREE: (-8.3, -14.3, 2.1, 0.85),
    lc.SHRUB: (-9.2, -15.5, 2.8, 0.85),
    lc.GRASS: (-10.8, -17.8, 2.6, 0.80),
    lc.CROP: (-9.9, -17.8, 1.8, 0.75),
    lc.BARE: (-10.2, -17.8, 3.3, 0.80),
}


def test_class_levels_are_those_measured_over_the_world() -> None:
    rng = np.random.default_rng(2)
    climates = [draw_climate(rng) for _ in range(1500)]
    draws = [draw_levels(rng, climate) for climate in climates]
    product = np.array([[climate.product_db] for climate in climates])
    assert 0.4 < np.mean([climate.gamma0 for climate in climates]) < 0.6
    sigma0 = {code: np.array([draw[code] for draw in draws]) - product for code in MEASURED}
    for code, (vv, vh, spread, correlation) in MEASURED.items():
        values = sigma0[code]
        assert values.mean(0) == pytest.approx([vv, vh], abs=0.7)
        # Points hold the variation within a scene too, and scenes a single date.
        assert 0.7 * spread < values[:, 0].std() < 1.5 * spread
        assert np.corrcoef(values.T)[0, 1] > correlation
    for code in (lc.GRASS, lc.CROP, lc.BARE):
        contrast = sigma0[lc.TREE] - sigma0[code]
        assert contrast[:, 1].mean() == pytest.approx(3.5, abs=0.8) and 1.0 < contrast[:, 1].std() < 3.5
        # No rule keeps open land below trees in VV, but VH rarely fails to tell them apart.
        assert (contrast[:, 0] < 0).mean() > 0.05
        assert (contrast[:, 1] < 0).mean() < 0.15
    # Wind moves VV of water over 12 dB, and VH by half of it; the noise floor, about -26, adds to VH.
    water = np.array([draw[lc.WATER] for draw in draws]) - product
    assert water[:, 0].mean() == pytest.approx(-18.6, abs=0.7) and 2.5 < water[:, 0].std() < 5
    assert (np.power(10, water[:, 1] / 10) + 10**-2.6).mean() < 10**-2.2
    assert all(draw[lc.WATER][1] < draw[lc.WATER][0] - 3 for draw in draws)


def test_noise_floor_bounds_dark_water_unless_it_was_subtracted() -> None:
    layout = np.full((128, 128), lc.WATER, np.uint8)
    for seed in range(12):
        scene = simulate(np.random.default_rng(seed), layout, nodata_chance=0.0)
        mean = 10 * np.log10((10 ** (scene.db[1].astype(float) / 10)).mean())
        floor = scene.receiver.floors[1]
        assert mean > floor + 10 * np.log10(max(1 - scene.receiver.removed, 0.03)) - 0.5
        assert -36 < mean < -14 and -33 < floor < -21


def test_homogeneous_forest_keeps_its_looks() -> None:
    """Texture may lower the equivalent number of looks, but never raise it."""
    layout = np.full((160, 160), lc.TREE, np.uint8)
    for seed in range(8):
        scene = simulate(np.random.default_rng(seed), layout, label_jitter=0.0, nodata_chance=0.0)
        power = 10 ** (scene.db[1].astype(float) / 10)
        blocks = power[: 160 // 16 * 16, :160].reshape(10, 16, 10, 16).swapaxes(1, 2).reshape(100, -1)
        looks = np.percentile(blocks.mean(1) ** 2 / blocks.var(1), 75)
        assert 0.35 * min(scene.receiver.looks, 20.0) < looks < 1.7 * scene.receiver.looks


def test_looks_range_from_single_dates_to_composites() -> None:
    rng = np.random.default_rng(3)
    looks = np.array([draw_looks(rng) for _ in range(600)])
    assert looks.min() >= 3 and looks.max() <= 200
    assert 4.4 < np.median(looks) < 7.5
    assert 0.08 < (looks > 20).mean() < 0.3


def test_towns_are_not_evenly_bright() -> None:
    layout = np.full((128, 128), lc.BUILT, np.uint8)
    means = []
    for seed in range(12):
        vv = simulate(np.random.default_rng(seed), layout, nodata_chance=0.0).db[0]
        means.append(float(vv.mean()))
        assert np.percentile(vv, 99.9) - np.median(vv) > 6
    assert max(means) - min(means) > 2


def test_labels_are_exact_without_jitter_and_near_with_it() -> None:
    rng = np.random.default_rng(4)
    layout = procedural(rng, (96, 96))
    assert np.array_equal(simulate(rng, layout, label_jitter=0.0, nodata_chance=0.0).labels, layout)
    assert np.array_equal(displaced(np.random.default_rng(0), layout, 0.0), layout)


def test_swath_edge_is_missing_in_bands_and_labels() -> None:
    rng = np.random.default_rng(5)
    scene = simulate(rng, np.full((96, 96), lc.CROP, np.uint8), nodata_chance=1.0)
    missing = np.isnan(scene.db)
    assert np.array_equal(missing[0], missing[1])
    assert 0.01 < missing[0].mean() < 0.7
    assert np.array_equal(missing[0], scene.labels == lc.UNKNOWN)


def test_slopes_that_face_the_radar_are_bright() -> None:
    level = np.zeros((64, 64), bool)
    east = slope_gain(np.random.default_rng(6), (64, 64), 38.0, 1, 4.0, level)
    west = slope_gain(np.random.default_rng(6), (64, 64), 38.0, -1, 4.0, level)
    assert np.corrcoef(east.ravel(), west.ravel())[0, 1] < -0.8
    level[:] = True
    assert not slope_gain(np.random.default_rng(6), (64, 64), 38.0, 1, 4.0, level).any()


def test_fields_and_parcels() -> None:
    field = gaussian_field(np.random.default_rng(7), (50, 70), 5.0)
    assert field.shape == (50, 70) and field.dtype == np.float32
    assert field.mean() == pytest.approx(0, abs=1e-4) and field.std() == pytest.approx(1, abs=1e-3)
    number, border = parcels(np.random.default_rng(8), (120, 120), 10.0, 20.0, 0.3, 2.0)
    assert number.min() >= 0 and number.max() < 4096 and border.min() >= 0
    assert 30 < len(np.unique(number)) < 400


def test_embedded_sample_is_remade_byte_for_byte(tmp_path: Path) -> None:
    kept = Path(__file__).parents[3] / "resources" / "sample"
    for path in write_sample(tmp_path):
        assert path.read_bytes() == (kept / path.name).read_bytes()
        assert path.stat().st_size < 1_000_000
    with rasterio.open(tmp_path / "simulated_s1.tif") as sample:
        assert sample.shape == SHAPE and sample.descriptions == ("VV", "VH")
        assert sample.scales == (SCALE, SCALE) and sample.nodata == NODATA
        values = sample.read(1, masked=True) * SCALE
        assert 0.02 < values.mask.mean() < 0.4
        assert -20 < values.mean() < -5
    with rasterio.open(tmp_path / "simulated_s1_labels.tif") as labels:
        assert len(np.unique(labels.read(1))) >= 6


def test_ponds_stay_smooth_in_a_wind_that_roughens_the_sea() -> None:
    labels = np.zeros((1, 300, 300), np.int32)[0]
    labels[10:20, 10:20] = 1  # a pond of 100 m
    labels[:, 100:] = 2  # a bay of 2 km
    shift = sheltered(labels, 2, level=-12.0)
    assert shift[15, 15] == pytest.approx(-8 * np.exp(-100 / 600), abs=0.1)
    assert -1.0 < shift[150, 250] < 0 and not shift[labels == 0].any()
    assert not sheltered(labels, 2, level=-23.0).any()  # no wind, nothing to shelter from
