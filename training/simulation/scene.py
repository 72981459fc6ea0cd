"""Simulate a Sentinel-1 scene: from land cover to speckled VV and VH in dB, and imperfect labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from backend.card import worldcover as lc
from backend.core.arrays import BoolArray, FloatArray
from training.simulation.climate import Climate, draw_climate
from training.simulation.fields import coordinates, curve_distance, gaussian_field
from training.simulation.labels import Labels, displaced, hide_detail
from training.simulation.receiver import Receiver, draw_receiver, observe
from training.simulation.relief import edge_gain, slope_gain
from training.simulation.signature import GROWTH, class_texture, crop_pattern, draw_levels
from training.simulation.urban import urban_power

# A swath of 250 km spans 17 degrees of incidence; this is the part of a 10 m pixel.
_DEGREES_PER_PIXEL = 10.0 / 14_700.0


@dataclass(frozen=True)
class SimulatedScene:
    """Hold a simulated scene.

    Attributes:
        db: VV and VH in dB, float32 [2, H, W]; NaN for nodata.
        labels: WorldCover codes, uint8 [H, W]; 0 where unknown or nodata.
        receiver: Looks and noise.
    """

    db: FloatArray
    labels: Labels
    receiver: Receiver


def noise_free_power(rng: np.random.Generator, truth: Labels, climate: Climate) -> list[FloatArray]:
    """Return the noise-free power of VV and VH, float32 [H, W] each, for the true land cover."""
    shape = (truth.shape[0], truth.shape[1])
    levels = draw_levels(rng, climate)
    texture = class_texture(rng, truth)
    table = np.full((2, 256), -14.0, np.float32)
    for code, level in levels.items():
        table[:, code] = level
    trend = (coordinates(shape)[1] - shape[1] / 2) * (climate.look * _DEGREES_PER_PIXEL)
    db = [table[band][truth] + texture[band] - 0.1 * trend for band in (0, 1)]
    _farmland(rng, truth, levels, db, climate.crops)
    _water(rng, truth, levels[lc.WATER], db)
    _linear_features(rng, truth, levels, db)
    tall = (truth == lc.TREE) | (truth == lc.MANGROVE)
    relief = edge_gain(rng, tall, climate.look)
    if rng.random() < 0.5:
        steepness = float(rng.choice([1.5, 4.0, 10.0]))
        residue = float(rng.choice([0.25, 1.0]))
        relief = relief + residue * slope_gain(
            rng, shape, climate.incidence, climate.look, steepness, truth == lc.WATER
        )
    power = [np.power(np.float32(10.0), (band + relief) / 10).astype(np.float32) for band in db]
    _towns(rng, truth, levels, power)
    return power


def _farmland(
    rng: np.random.Generator,
    truth: Labels,
    levels: dict[int, tuple[float, float]],
    db: list[FloatArray],
    crops: tuple[float, ...],
) -> None:
    """Set the level of each field, and add hedges; in place."""
    crop = truth == lc.CROP
    if not (crop | (truth == lc.GRASS)).any():
        return
    meadows = rng.uniform(0.2, 0.8)
    vv, vh, hedge, state = crop_pattern(rng, (truth.shape[0], truth.shape[1]), crops)
    for band, shift in ((0, vv), (1, vh)):
        fields = db[band] + shift + state * np.float32(GROWTH[band])
        fields = fields + hedge * (levels[lc.TREE][band] - fields) * 0.6
        # Grassland has parcels too, with smaller differences.
        db[band][:] = np.where(crop, fields, db[band])
        grass = truth == lc.GRASS
        db[band][grass] += meadows * shift[grass]


# Waves grow over open water: bodies much narrower than this (metres) stay smooth in any wind.
_FETCH_M = 600.0
_CALM_VV_DB = -20.0


def sheltered(bodies: NDArray[np.int32], count: int, level: float) -> FloatArray:
    """Return by how much water bodies are darker than open water, because of limited fetch.

    Waves that matter at C band grow within some hundred metres from the windward shore.

    Args:
        bodies: Number of the water body from 1 to `count`, 0 on land, int32 [H, W].
        count: Number of bodies.
        level: VV of open water in dB.

    Returns:
        Shift of VV in dB, 0 or below, float32 [H, W].
    """
    width = np.zeros(count + 1, np.float32)
    inside = ndimage.distance_transform_edt(bodies > 0)
    width[1:] = 20.0 * ndimage.maximum(inside, bodies, np.arange(1, count + 1))  # metres; twice the distance to shore
    calm = np.exp(-width / _FETCH_M) * min(0.0, _CALM_VV_DB - level)
    calm[0] = 0.0  # land
    shift: FloatArray = calm.astype(np.float32)[bodies]
    return shift


def _water(rng: np.random.Generator, truth: Labels, level: tuple[float, float], db: list[FloatArray]) -> None:
    """Set the roughness of each water body, and add wind streaks; in place."""
    water = truth == lc.WATER
    if not water.any():
        return
    shape = (truth.shape[0], truth.shape[1])
    bodies, count = ndimage.label(water)
    own = rng.normal(0, 1.8, count + 1).astype(np.float32)[bodies] + sheltered(bodies, count, level[0])
    wind = gaussian_field(rng, shape, rng.uniform(5, 60), 3.2) * rng.uniform(0, 1.6)
    if rng.random() < 0.5:
        waves = gaussian_field(rng, shape, 2.5, 4.0)
        wind = wind + ndimage.uniform_filter1d(waves, 9, axis=int(rng.integers(2))) * rng.uniform(0, 1.5)
    surf = 0.0
    if rng.random() < 0.2:
        # Breaking waves along the shore are rough; on open coasts they are as bright as land.
        near = ndimage.gaussian_filter((~water).astype(np.float32), rng.uniform(2, 6), truncate=2.5)
        surf = near * rng.uniform(0, 10)
    db[0][water] += (own + wind + surf)[water]
    db[1][water] += (0.5 * own + 0.6 * wind + 0.5 * surf)[water]


def _linear_features(
    rng: np.random.Generator, truth: Labels, levels: dict[int, tuple[float, float]], db: list[FloatArray]
) -> None:
    """Add roads and ditches (dark) and tree rows (bright), without labels, as on maps; in place."""
    shape = (truth.shape[0], truth.shape[1])
    land = (truth != lc.WATER) & (truth != lc.SNOW)
    for _ in range(int(rng.integers(0, 4))):
        near = curve_distance(rng, shape, rng.uniform(0, 12), rng.uniform(120, 400))
        kind = rng.random()
        target = levels[lc.TREE] if kind < 0.25 else (levels[lc.BARE][0] - 1.5, levels[lc.BARE][1] - 1.5)
        weight = np.clip(rng.uniform(0.6, 1.6) - near, 0, 1) * land * rng.uniform(0.4, 0.9)
        for band in (0, 1):
            db[band] += weight * (target[band] - db[band])


def _towns(
    rng: np.random.Generator, truth: Labels, levels: dict[int, tuple[float, float]], power: list[FloatArray]
) -> None:
    """Add built-up land, and single farmsteads that maps leave out; in place."""
    built = truth == lc.BUILT
    open_land = (truth == lc.CROP) | (truth == lc.GRASS)
    if rng.random() < 0.4:
        rate = 10.0 ** rng.uniform(-4.2, -2.8)
        seeds = (rng.random(truth.shape, dtype=np.float32) < rate) & open_land
        built = built | ndimage.binary_dilation(seeds, iterations=1)
    if not built.any():
        return
    leafy = rng.uniform(0.1, 0.8)
    pattern = rng.uniform(0.05, 0.2) * gaussian_field(rng, (truth.shape[0], truth.shape[1]), rng.uniform(1.5, 4), 2.6)
    garden = [
        np.power(np.float32(10.0), (leafy * levels[lc.TREE][b] + (1 - leafy) * levels[lc.GRASS][b]) / 10 + pattern)
        for b in (0, 1)
    ]
    town = urban_power(rng, built, levels[lc.BUILT], (garden[0], garden[1]))
    for band in (0, 1):
        power[band][built] = town[band][built]


def swath_edge(rng: np.random.Generator, shape: tuple[int, int], chance: float) -> BoolArray:
    """Return where there is data, bool [H, W]: everywhere, or with ``chance`` on one side of a swath edge."""
    if rng.random() >= chance:
        return np.ones(shape, bool)
    rows, columns = coordinates(shape)
    # Orbits are inclined by about 98 degrees: edges are about 12 degrees from north, or run across.
    angle = np.deg2rad(rng.choice([12.0, -12.0, 102.0, 78.0]) + rng.normal(0, 3))
    side = rng.choice([-1.0, 1.0])
    distance = side * (np.cos(angle) * (columns - shape[1] / 2) + np.sin(angle) * (rows - shape[0] / 2))
    return np.asarray(distance > -rng.uniform(0.2, 0.45) * min(shape))


def simulate(
    rng: np.random.Generator,
    layout: Labels,
    *,
    label_jitter: float = 0.8,
    nodata_chance: float = 0.06,
    speckle_rng: np.random.Generator | None = None,
) -> SimulatedScene:
    """Simulate a scene over a land-cover layout.

    Args:
        rng: Random generator.
        layout: WorldCover codes at 10 m, uint8 [H, W], 0 unknown.
        label_jitter: Misregistration of the labels in pixels (standard deviation), which also lack detail; 0 for exact
            labels.
        nodata_chance: Probability of a swath edge through the scene.
        speckle_rng: Generator of speckle, for several dates of one place under the same conditions; `rng` by default.

    Returns:
        The scene; its labels are the layout, and its backscatter follows the true land cover.
    """
    shape = (layout.shape[0], layout.shape[1])
    truth = layout
    if label_jitter > 0:
        truth = hide_detail(rng, displaced(rng, layout, label_jitter * rng.uniform(0.2, 1.6)))
    climate = draw_climate(rng)
    power = noise_free_power(rng, truth, climate)
    receiver = draw_receiver(rng, climate)
    own = speckle_rng if speckle_rng is not None else rng
    db = np.stack([observe(own, power[band], receiver, band) for band in (0, 1)])
    valid = swath_edge(rng, shape, nodata_chance)
    db[:, ~valid] = np.nan
    return SimulatedScene(db, np.where(valid, layout, lc.UNKNOWN).astype(np.uint8), receiver)
