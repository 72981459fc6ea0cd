"""Draw noise-free C-band backscatter by land cover: the level of each class in a scene, and its texture.

Class levels (dB, gamma0, near 38 degrees) are means of terrain-corrected Sentinel-1 chips of four places with labels
like WorldCover's. Classes that these lack (snow, moss, mangrove, desert) have the ranges of Ulaby and Dobson 1989,
"Handbook of Radar Scattering Statistics for Terrain". Class means differ by 3 dB between places, so that levels are
drawn for each scene (domain randomisation, Tobin et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.card import worldcover as lc
from backend.core.arrays import FloatArray
from training.simulation.fields import gaussian_field, parcels, smooth_noise
from training.simulation.labels import Labels


@dataclass(frozen=True)
class Signature:
    """Describe a class: means and standard deviations between scenes in dB, slope in dB per degree of incidence.

    ``soil`` is the share of the scene's soil moisture shift that applies to the class. ``patch`` and ``grain`` are the
    usual standard deviations in dB of coarse (tens of pixels) and fine (about a pixel) texture.
    """

    vv: float
    vh: float
    spread: float
    ratio_spread: float
    slope: float
    soil: float
    patch: float
    grain: float


SIGNATURES: dict[int, Signature] = {
    lc.TREE: Signature(-8.8, -14.6, 0.9, 0.6, -0.06, 0.15, 0.6, 0.6),
    lc.SHRUB: Signature(-11.4, -17.4, 1.6, 1.0, -0.10, 0.5, 1.6, 0.5),
    lc.GRASS: Signature(-12.6, -18.9, 1.6, 1.2, -0.12, 0.8, 1.8, 0.4),
    lc.CROP: Signature(-12.4, -19.0, 1.4, 1.2, -0.12, 0.8, 1.5, 0.3),
    lc.BUILT: Signature(-9.0, -15.6, 1.6, 1.0, -0.05, 0.2, 1.0, 0.4),
    lc.BARE: Signature(-15.6, -22.4, 2.6, 1.2, -0.17, 1.0, 1.3, 0.4),
    lc.SNOW: Signature(-13.5, -20.5, 3.2, 1.5, -0.17, 0.1, 1.5, 0.3),
    lc.WATER: Signature(-17.5, -27.0, 2.8, 1.5, -0.35, 0.0, 0.6, 0.1),
    lc.WETLAND: Signature(-11.5, -18.3, 2.2, 1.4, -0.10, 0.3, 1.5, 0.6),
    lc.MANGROVE: Signature(-8.8, -14.6, 1.0, 0.8, -0.05, 0.0, 0.7, 0.5),
    lc.MOSS: Signature(-12.5, -19.5, 1.8, 1.2, -0.12, 0.6, 1.0, 0.6),
}


# Canopies scatter more than open ground of the same scene, most in VH; factors on the minimum difference in dB.
_BELOW_TREES = {lc.SHRUB: 0.7, lc.GRASS: 1.2, lc.CROP: 1.0, lc.BARE: 2.0, lc.MOSS: 1.2, lc.WETLAND: 0.4}


@dataclass(frozen=True)
class Climate:
    """Hold the conditions of a scene.

    Attributes:
        gain: Shift in dB per polarisation (calibration, gamma0 or sigma0, season).
        soil: Soil moisture shift in dB, negative when dry.
        incidence: Incidence angle at the scene centre, degrees.
        look: +1 if the radar looks east (ascending, right-looking), -1 if it looks west.
    """

    gain: tuple[float, float]
    soil: float
    incidence: float
    look: int


def draw_climate(rng: np.random.Generator) -> Climate:
    """Draw the conditions of one scene; Sentinel-1 IW covers incidence angles of 29 to 46 degrees."""
    common = rng.normal(0, 0.8)
    return Climate(
        gain=(common + rng.normal(0, 0.5), common + rng.normal(0, 0.7)),
        soil=rng.normal(0, 1.6),
        incidence=rng.uniform(30.0, 45.0),
        look=int(rng.choice([-1, 1])),
    )


def draw_levels(rng: np.random.Generator, climate: Climate) -> dict[int, tuple[float, float]]:
    """Draw mean VV and VH in dB of each class in a scene.

    Deviations of classes are correlated (seasons change all vegetation), those of VV and VH strongly.
    """
    shared = rng.normal(0, 0.6)
    levels: dict[int, tuple[float, float]] = {}
    for code, s in SIGNATURES.items():
        own = rng.normal(0, s.spread) + shared * (code not in (lc.WATER, lc.SNOW, lc.BUILT))
        tilt = s.slope * (climate.incidence - 38.0)
        base = own + tilt + s.soil * climate.soil
        vv = s.vv + base + climate.gain[0]
        vh = s.vh + 0.8 * base + rng.normal(0, s.ratio_spread) + climate.gain[1]
        if code == lc.WATER:
            # Wind sets the VV level from smooth to rough sea; VH stays close to the noise floor.
            vv = rng.uniform(-23.0, -11.5) + tilt
            vh = min(vv - 4.0, -28.0 + 0.45 * (vv + 20.0) + rng.normal(0, 1.5))
        levels[code] = (float(vv), float(vh))
    tree = levels[lc.TREE]
    for code, step in _BELOW_TREES.items():
        vv, vh = levels[code]
        highest = (tree[0] - rng.uniform(0.3, 1.5) * step, tree[1] - rng.uniform(0.8, 2.0) * step)
        levels[code] = (min(vv, highest[0]), min(vh, highest[1]))
    return levels


def class_texture(rng: np.random.Generator, labels: Labels) -> tuple[FloatArray, FloatArray]:
    """Draw the texture of VV and VH in dB, relative to the class level.

    Args:
        rng: Generator.
        labels: True land cover, uint8 [H, W].

    Returns:
        Two float32 [H, W].
    """
    shape = (labels.shape[0], labels.shape[1])
    out = (np.zeros(shape, np.float32), np.zeros(shape, np.float32))
    wide = gaussian_field(rng, shape, 30.0, 3.0)
    tight = gaussian_field(rng, shape, rng.uniform(2, 8), 2.8)
    grain = smooth_noise(rng, shape, (0.7, 0.7))
    own = smooth_noise(rng, shape, (1.2, 1.2))
    for code in np.unique(labels).tolist():
        s = SIGNATURES.get(code)
        if s is None:
            continue
        inside = labels == code
        mix = rng.uniform(0.2, 0.8)
        coarse, fine = s.patch * rng.uniform(0.3, 1.8), s.grain * rng.uniform(0.3, 1.6)
        # Classes share the fields, which saves transforms; the sign is random.
        pattern = (rng.choice([-1.0, 1.0]) * coarse) * (mix * wide + (1 - mix) * tight)[inside] + fine * grain[inside]
        out[0][inside] = pattern
        # VH varies more than VV (real 7-pixel means of open land: 1.7 to 2.8 dB in VH, 1.5 to 2.2 dB in VV).
        out[1][inside] = rng.uniform(0.9, 1.4) * pattern + 0.25 * (coarse + fine) * own[inside]
    return out


def crop_pattern(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw farmland: each field has a crop and so a level; borders have hedges or ditches.

    Args:
        rng: Generator.
        shape: Rows and columns.

    Returns:
        VV and VH shift in dB, float32 [H, W], and the border weight from 0 to 1, float32 [H, W].
    """
    width = float(np.exp(rng.uniform(np.log(3.5), np.log(40))))
    number, border = parcels(
        rng, shape, width, width * rng.uniform(1, 4), rng.uniform(0, np.pi), rng.choice([0.0, 2.0, 8.0])
    )
    # There are few crops at a time: levels cluster around two to five means (bare and grown fields).
    kinds = int(rng.integers(2, 6))
    spread = rng.uniform(1.0, 3.2)
    kind = rng.integers(0, kinds, 4096)
    vv_kind = rng.normal(0, spread, kinds)
    if rng.random() < 0.4:
        # Smooth bare or flooded fields are as dark as calm water, but have straight borders.
        vv_kind[0] -= rng.uniform(2.0, 6.0)
    # A growing canopy raises VH more than VV.
    vh_kind = vv_kind * rng.uniform(0.8, 1.5) + rng.normal(0, 0.9, kinds)
    vv = vv_kind[kind] + rng.normal(0, 0.5 * spread, 4096)
    vh = vh_kind[kind] + (vv - vv_kind[kind]) + rng.normal(0, 0.5, 4096)
    hedge = np.clip(rng.uniform(0.7, 1.5) - border, 0, 1) * float(rng.choice([0.0, 0.4, 0.7, 1.0]))
    return vv[number].astype(np.float32), vh[number].astype(np.float32), hedge.astype(np.float32)
