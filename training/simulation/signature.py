"""Noise-free C-band backscatter by land cover: level of each class in one scene, and its pattern within the class.

Class levels (dB, gamma0, near 38 degrees) are means measured on terrain-corrected Sentinel-1 chips of four places
with WorldCover-like labels, completed for classes these lack (snow, moss, mangrove, desert) from the ranges in
Ulaby and Dobson 1989, "Handbook of Radar Scattering Statistics for Terrain". Between places a class mean was seen
to move by 3 dB, so that levels are drawn anew for every scene (domain randomisation, Tobin et al. 2017).
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
    """Backscatter of one class: means and between-scene deviations in dB, slopes in dB per degree of incidence.

    ``soil`` says how much of the scene's soil moisture shift the class takes, ``patch`` and ``grain`` the usual
    deviation in dB of its coarse (tens of pixels) and fine (about a pixel) texture.
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


# Canopies scatter more than open ground of the same scene, in VH above all; factors on the least step in dB.
_BELOW_TREES = {lc.SHRUB: 0.7, lc.GRASS: 1.2, lc.CROP: 1.0, lc.BARE: 2.0, lc.MOSS: 1.2, lc.WETLAND: 0.4}


@dataclass(frozen=True)
class Climate:
    """What a whole scene shares.

    Attributes:
        gain: Common shift in dB per polarisation (calibration, gamma0 against sigma0, season).
        soil: Soil moisture shift in dB, negative when dry.
        incidence: Incidence angle at the scene centre, degrees.
        look: +1 if the radar looks east (ascending, right-looking), -1 if west.
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
    """Mean VV and VH in dB of every class in one scene.

    Deviations of classes share a part (green season moves all vegetation), and those of VV and VH share most.
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
            # Wind sets the VV level between mirror-smooth and rough sea; VH stays close to the noise floor.
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
    """Texture in dB around the class level, for VV and VH.

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
        # The fields are shared by the classes, which saves transforms; the sign differs at random.
        pattern = (rng.choice([-1.0, 1.0]) * coarse) * (mix * wide + (1 - mix) * tight)[inside] + fine * grain[inside]
        out[0][inside] = pattern
        # Cover varies more in VH than in VV (real 7 px means of open land: 1.7 to 2.8 dB against 1.5 to 2.2).
        out[1][inside] = rng.uniform(0.9, 1.4) * pattern + 0.25 * (coarse + fine) * own[inside]
    return out


def crop_pattern(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Farmland: every field has its own crop, and so its own level; borders carry hedges or ditches.

    Args:
        rng: Generator.
        shape: Rows and columns.

    Returns:
        VV and VH shift in dB, float32 [H, W], and the border weight in 0..1, float32 [H, W].
    """
    width = float(np.exp(rng.uniform(np.log(3.5), np.log(40))))
    number, border = parcels(
        rng, shape, width, width * rng.uniform(1, 4), rng.uniform(0, np.pi), rng.choice([0.0, 2.0, 8.0])
    )
    # Few crops share a season: levels cluster around two to five means (bare and grown fields).
    kinds = int(rng.integers(2, 6))
    spread = rng.uniform(1.0, 3.2)
    kind = rng.integers(0, kinds, 4096)
    vv_kind = rng.normal(0, spread, kinds)
    if rng.random() < 0.4:
        # A smooth bare or flooded field is as dark as calm water, but has straight borders.
        vv_kind[0] -= rng.uniform(2.0, 6.0)
    # Growing canopy lifts VH more than VV, so the ratio moves with the crop.
    vh_kind = vv_kind * rng.uniform(0.8, 1.5) + rng.normal(0, 0.9, kinds)
    vv = vv_kind[kind] + rng.normal(0, 0.5 * spread, 4096)
    vh = vh_kind[kind] + (vv - vv_kind[kind]) + rng.normal(0, 0.5, 4096)
    hedge = np.clip(rng.uniform(0.7, 1.5) - border, 0, 1) * float(rng.choice([0.0, 0.4, 0.7, 1.0]))
    return vv[number].astype(np.float32), vh[number].astype(np.float32), hedge.astype(np.float32)
