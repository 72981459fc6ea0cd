"""Draw noise-free C-band backscatter by land cover: the level of each class in a scene, and its texture.

Levels are sigma0 in dB near 38 degrees, read from monthly Sentinel-1 values at 500 points over the world (WorldCereal)
and from labelled European and North American places: their means, the spread between places, which moves VV and VH
together, and the smaller spread of VV-VH. Dry regions, frozen ground and wet snow shift classes by what was measured
in the western USA, East Africa and Finland. A scene is drawn as sigma0 or as gamma0, since maps are made of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.card import worldcover as lc
from backend.core.arrays import FloatArray
from training.simulation.climate import CENTRE_DEG, Climate
from training.simulation.fields import gaussian_field, parcels, smooth_noise
from training.simulation.labels import Labels

Pair = tuple[float, float]
_NONE = (0.0, 0.0)


@dataclass(frozen=True)
class Signature:
    """Describe a class.

    Attributes:
        level: Mean VV and VH in dB, sigma0 at 38 degrees, in humid regions.
        spread: Standard deviation in dB between scenes, of VV, in addition to the effect of the scene's climate.
        ratio: Standard deviation in dB of VV-VH between scenes.
        slope: dB per degree of incidence.
        soil: Share of the scene's soil moisture shift.
        dry: Loss of VV and VH in dB in a semi-arid region.
        frozen: Loss in dB when frozen.
        thaw: Loss in dB under wet snow.
        patch: Usual standard deviation in dB of coarse texture (tens of pixels).
        grain: Usual standard deviation in dB of fine texture (about a pixel).
    """

    level: Pair
    spread: float
    ratio: float
    slope: float
    soil: float
    dry: Pair = _NONE
    frozen: Pair = _NONE
    thaw: Pair = _NONE
    patch: float = 1.0
    grain: float = 0.4


_OPEN_FROZEN, _OPEN_THAW, _WOOD_FROZEN, _WOOD_THAW = (0.0, 2.0), (2.2, 3.5), (1.9, 3.2), (1.6, 1.9)

SIGNATURES: dict[int, Signature] = {
    lc.TREE: Signature((-8.3, -14.2), 1.0, 0.5, -0.10, 0.15, (1.8, 1.6), _WOOD_FROZEN, _WOOD_THAW, 1.0, 0.8),
    lc.SHRUB: Signature((-8.9, -15.0), 1.5, 0.6, -0.11, 0.5, (2.6, 3.2), (1.0, 2.4), _OPEN_THAW, 1.6, 0.5),
    lc.GRASS: Signature((-10.75, -17.65), 1.2, 0.7, -0.13, 0.8, (3.0, 2.8), _OPEN_FROZEN, _OPEN_THAW, 1.8, 0.4),
    lc.CROP: Signature((-9.5, -17.25), 0.6, 1.2, -0.13, 0.7, (4.2, 4.8), _OPEN_FROZEN, _OPEN_THAW, 1.5, 0.3),
    lc.BUILT: Signature((-7.4, -16.4), 3.3, 2.6, -0.07, 0.1, (1.2, 1.2), (0.5, 1.0), (0.5, 1.0), 1.0, 0.4),
    lc.BARE: Signature((-9.6, -17.15), 2.2, 1.5, -0.17, 1.0, (4.6, 5.2), _OPEN_FROZEN, _OPEN_THAW, 1.3, 0.4),
    lc.SNOW: Signature((-13.0, -20.2), 3.0, 1.5, -0.17, 0.1, patch=1.5, grain=0.3),
    lc.WATER: Signature((-19.1, -28.6), 4.4, 1.5, -0.35, 0.0, patch=0.6, grain=0.1),
    lc.WETLAND: Signature((-9.9, -17.0), 2.2, 1.2, -0.11, 0.3, (2.0, 2.0), _OPEN_FROZEN, _OPEN_THAW, 1.5, 0.6),
    lc.MANGROVE: Signature((-9.0, -14.9), 1.0, 0.6, -0.09, 0.0, patch=0.7, grain=0.5),
    lc.MOSS: Signature((-12.0, -18.8), 1.6, 1.0, -0.13, 0.6, _NONE, _OPEN_FROZEN, _OPEN_THAW, 1.0, 0.6),
}
# Gain of crops from bare to full growth, VV and VH in dB (monthly means of wheat and maize).
GROWTH = (2.0, 3.4)


def _water_level(rng: np.random.Generator, tilt: float) -> Pair:
    """Draw open water: wind sets VV from smooth to rough sea, over 12 dB; VH follows by half and stays dark."""
    wind = float(np.clip(rng.normal(0, 4.4), -5.5, 8.0))
    vv, vh = SIGNATURES[lc.WATER].level
    bright = vv + wind + tilt
    return bright, min(bright - 4.0, vh + 0.55 * wind + 0.6 * tilt + rng.normal(0, 2.2))


def _flooded(rng: np.random.Generator) -> Pair:
    """Draw the shift of wetland: stems in water raise VV by double bounce, open water between them lowers both."""
    kind = rng.random()
    if kind < 0.25:
        return rng.uniform(1.5, 4.0), rng.uniform(0.0, 1.5)
    if kind < 0.5:
        return -rng.uniform(1.0, 4.0), -rng.uniform(2.0, 5.0)
    return 0.0, 0.0


def draw_levels(rng: np.random.Generator, climate: Climate) -> dict[int, tuple[float, float]]:
    """Draw mean VV and VH in dB of each class in a scene, in its product (sigma0 or gamma0).

    Classes share the gain and climate of the scene, so that trees differ from open land by about 3.5 dB in VH and 2 dB
    in VV, with a spread of 1.5 to 2 dB; there are scenes in which they are alike in VV.
    """
    levels: dict[int, tuple[float, float]] = {}
    for code, s in SIGNATURES.items():
        own = rng.normal(0, s.spread)
        tilt = s.slope * (climate.incidence - CENTRE_DEG)
        if code == lc.WATER:
            vv, vh = _water_level(rng, tilt)
            levels[code] = (vv + climate.product_db, vh + climate.product_db)
            continue
        extra = _flooded(rng) if code == lc.WETLAND else _NONE
        ratio = (0.0, s.ratio * float(np.clip(rng.normal(), -1.8, 1.8)))
        pair = []
        for band in (0, 1):
            loss = climate.dry * s.dry[band] + climate.frozen * s.frozen[band] + climate.thaw * s.thaw[band]
            growth = climate.growth * GROWTH[band] if code == lc.CROP else 0.0
            base = (1.0, 0.9)[band] * own + tilt + s.soil * climate.soil + climate.gain[band] + climate.product_db
            pair.append(float(s.level[band] + base - loss + growth + ratio[band] + extra[band]))
        levels[code] = (pair[0], pair[1])
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


def crop_pattern(
    rng: np.random.Generator, shape: tuple[int, int], crops: tuple[float, ...] = ()
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Draw farmland: each field has a crop and so a level; borders have hedges or ditches.

    Args:
        rng: Generator.
        shape: Rows and columns.
        crops: State of each kind of crop, from -0.5 to 0.5; empty if all are alike.

    Returns:
        VV and VH shift in dB, weight of the border from 0 to 1, and state of the crop (0 if all are alike): four times
        float32 [H, W].
    """
    width = float(np.exp(rng.uniform(np.log(3.5), np.log(40))))
    number, border = parcels(
        rng, shape, width, width * rng.uniform(1, 4), rng.uniform(0, np.pi), rng.choice([0.0, 2.0, 8.0])
    )
    # There are few crops at a time: levels cluster around two to five means (bare and grown fields).
    kinds = int(rng.integers(2, 6))
    spread = rng.uniform(0.7, 2.5)
    kind = rng.integers(0, kinds, 4096)
    vv_kind = rng.normal(0, spread, kinds)
    if rng.random() < 0.3:
        # Smooth bare or flooded fields are as dark as calm water, but have straight borders.
        vv_kind[0] -= rng.uniform(1.5, 5.5)
    # A growing canopy raises VH more than VV.
    vh_kind = vv_kind * rng.uniform(0.6, 1.3) + rng.normal(0, 1.0, kinds)
    vv = vv_kind[kind] + rng.normal(0, 0.5 * spread, 4096)
    vh = vh_kind[kind] + (vv - vv_kind[kind]) + rng.normal(0, 0.5, 4096)
    hedge = np.clip(rng.uniform(0.7, 1.5) - border, 0, 1) * float(rng.choice([0.0, 0.4, 0.7, 1.0]))
    state = np.resize(np.array(crops or (0.0,)), kinds)[kind]
    planes = vv[number], vh[number], hedge, state[number]
    first, second, third, fourth = (plane.astype(np.float32) for plane in planes)
    return first, second, third, fourth
