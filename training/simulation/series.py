"""Simulate dates of one place over a year: the same land, seen under other conditions, each with its own speckle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from scipy import ndimage

from backend.card import worldcover as lc
from backend.core.arrays import BoolArray, FloatArray
from training.simulation.climate import draw_climate
from training.simulation.fields import gaussian_field
from training.simulation.labels import Labels, displaced, hide_detail
from training.simulation.receiver import draw_receiver, observe
from training.simulation.scene import SimulatedScene, noise_free_power, swath_edge
from training.simulation.season import Occasion, draw_year

# Looks of single dates.
LOOKS = (4.0, 6.0)
# Land that floods cover, and their backscatter, VV and VH in dB sigma0, before wind.
FLOODED = (lc.GRASS, lc.CROP, lc.BARE, lc.WETLAND)
CALM = (-19.0, -27.0)
VH_OF_WIND = 0.55


@dataclass(frozen=True)
class DatedScene:
    """Hold a date of a place."""

    day: date
    scene: SimulatedScene


def simulate_series(
    rng: np.random.Generator, layout: Labels, dates: int, *, label_jitter: float = 0.8, nodata_chance: float = 0.06
) -> list[DatedScene]:
    """Simulate dates of a year over a land-cover layout.

    Args:
        rng: Random generator.
        layout: WorldCover codes at 10 m, uint8 [H, W], 0 unknown.
        dates: Number of dates.
        label_jitter: As for `scene.simulate`.
        nodata_chance: As for `scene.simulate`, for each date.

    Returns:
        In the order of time. Labels are the layout, and water where a flood covers it on that date.
    """
    truth = layout
    if label_jitter > 0:
        truth = hide_detail(rng, displaced(rng, layout, label_jitter * rng.uniform(0.2, 1.6)))
    climate = draw_climate(rng)
    receiver = replace(draw_receiver(rng, climate), looks=float(rng.uniform(*LOOKS)))
    year = draw_year(rng, climate, dates)
    # All dates draw the same land: the generator begins at one state for each.
    state = rng.bit_generator.state
    found = []
    for occasion in year:
        rng.bit_generator.state = state
        power = noise_free_power(rng, truth, occasion.climate)
        own = np.random.default_rng(occasion.seed)
        flooded = _flooded(own, truth, occasion)
        _on_water(power, truth, flooded, occasion)
        db = np.stack([observe(own, power[band], receiver, band) for band in (0, 1)])
        valid = swath_edge(own, (layout.shape[0], layout.shape[1]), nodata_chance)
        db[:, ~valid] = np.nan
        labels = np.where(flooded & (layout != lc.UNKNOWN), np.uint8(lc.WATER), layout)
        scene = SimulatedScene(db, np.where(valid, labels, lc.UNKNOWN).astype(np.uint8), receiver)
        found.append(DatedScene(occasion.day, scene))
    return found


def _flooded(rng: np.random.Generator, truth: Labels, occasion: Occasion) -> BoolArray:
    """Return the pixels that a flood covers, bool [H, W]: open land near water, as far as an uneven ground lets it."""
    water = truth == lc.WATER
    if not occasion.flood or not water.any():
        return np.zeros(truth.shape, dtype=np.bool_)
    ground = gaussian_field(rng, (truth.shape[0], truth.shape[1]), 20.0, 3.0)
    reach = occasion.flood * (1 + 0.5 * ground)
    covered: BoolArray = (ndimage.distance_transform_edt(~water) < reach) & np.isin(truth, FLOODED)
    return covered


def _on_water(power: list[FloatArray], truth: Labels, flooded: BoolArray, occasion: Occasion) -> None:
    """Set the wind of the date on water, and make flooded land water; in place."""
    water = truth == lc.WATER
    for band, share in ((0, 1.0), (1, VH_OF_WIND)):
        wind = np.float32(10 ** (share * occasion.wind / 10))
        calm = np.float32(10 ** ((CALM[band] + occasion.climate.product_db) / 10))
        power[band][water] *= wind
        # A thin sheet of water has little fetch: wind does less there.
        power[band][flooded] = np.minimum(power[band][flooded], calm * np.sqrt(wind))
