"""Check that values can be backscatter: the level of each band, its distribution, and the difference of two bands.

The bounds are of medians over a raster, in dB. Over 408 real dual-polarised chips and scenes, of lakes, ice-free sea,
desert, crops, forest and towns, they lie at VV -29.0 to -6.4, VH -31.7 to -12.1 and VV - VH -0.6 (open water at the
noise floor) to 14.9; of single built-up places VV reaches -1.8 and VH -9.4. Wet snow and ice lie within these.
Sentinel-1 measures no less than its noise, about -30 dB (co-polarised) and -37 dB (what noise subtraction leaves).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, DoubleArray
from backend.radiometry.checks import ACCEPT, OK, REFUSED, WARNING, Check
from backend.radiometry.speckle import growth
from backend.radiometry.units import Units


class Bounds(NamedTuple):
    """Hold bounds: refused below `least` or above `most`, warned about outside `low` to `high`."""

    least: float
    low: float
    high: float
    most: float

    def verdict(self, value: float) -> str:
        if not self.least <= value <= self.most:
            return REFUSED
        return OK if self.low <= value <= self.high else WARNING


LEVEL = {"co": Bounds(-38, -31, -6, 3), "cross": Bounds(-44, -36, -11.5, -5.5)}
ANY_LEVEL = Bounds(-44, -36, -2, 3)
DIFFERENCE = Bounds(-8, -2, 16, 22)
# Linear values whose spread doesn't grow with their level are backscatter only where most of them are noise or an
# average of many dates; scaled values are also near the middle of 0…1.
STEADY, STEADY_MEDIAN, SCALED_MEDIAN = 0.1, 0.3, (0.12, 0.95)
# Power after noise subtraction reaches little below 0: the noise itself is about 0.003.
NEGATIVE = -0.05
# Medians in dB above which a raster of MANY pixels has some above 1; real ones reach -6.4 (co) and -12.1 (cross).
BRIGHT, MANY = {"co": (-8.0, -6.0), "cross": (-13.0, -11.0)}, 1000
# Fewer pixels than this don't tell.
TELLING = 100
SAY = f"If they are backscatter all the same, use {ACCEPT}."
CALIBRATED = (
    "Give calibrated backscatter (dB, linear power or amplitude) as it was measured, not scaled or standardised."
)


def polarisation_kind(name: str) -> str | None:
    """Return "co" or "cross" by the last of VV, VH, HH, HV in the name of a band; None where there is none."""
    text = name.upper()
    found = max(("VV", "HH", "VH", "HV"), key=text.rfind)
    if found not in text:
        return None
    return "co" if found in ("VV", "HH") else "cross"


def check_constant(sample: NDArray[Any], valid: NDArray[Any], names: Sequence[str]) -> list[Check]:
    """Refuse bands of one value: nothing was measured there."""
    checks = []
    for name, plane in zip(names, sample):
        values = plane[valid & np.isfinite(plane)]
        if values.size >= TELLING and values.min() == values.max():
            found = f"{name} is {values[0]:.6g} everywhere"
            hint = f"Check which bands were chosen, and give the band that was measured. {SAY}"
            checks.append(
                Check(f"values of {name}", found, "measured values differ from pixel to pixel", REFUSED, hint)
            )
    return checks


def check_one_unit(sample: NDArray[Any], valid: NDArray[Any], names: Sequence[str]) -> list[Check]:
    """Refuse a raster with one band in dB and one in linear units."""
    kinds: dict[str, list[str]] = {"dB": [], "linear": []}
    for name, plane in zip(names, sample):
        values = plane[valid & np.isfinite(plane)]
        if values.size < TELLING:
            continue
        low, median, high = np.percentile(values, (1, 50, 99))
        if high < 1 and low < -5:
            kinds["dB"].append(name)
        elif low >= NEGATIVE and 0 < median < 3:
            kinds["linear"].append(name)
    if not all(kinds.values()):
        return []
    found = f"{' and '.join(kinds['dB'])} looks like dB, {' and '.join(kinds['linear'])} like linear values"
    hint = (
        "Convert one of them, for instance with the raster calculator (dB = 10 log10 of power), or choose other bands."
    )
    return [Check("one unit", found, "all bands must have one unit", REFUSED, f"{hint} {SAY}")]


def check_linear(sample: NDArray[Any], valid: NDArray[Any], names: Sequence[str], units: Units) -> list[Check]:
    """Refuse values scaled to 0…1 or around 0, and coherence, that pass for linear backscatter."""
    checks = []
    brightest = float(np.nanmax(np.where(valid, sample, np.nan), initial=-np.inf))
    wanted = "linear backscatter has a spread that grows with its level, and bright points above 1"
    for name, plane in zip(names, sample):
        keep = valid & np.isfinite(plane)
        values = plane[keep]
        if values.size < TELLING:
            continue
        found = _scaled(plane, keep, values)
        if found:
            hint = f"{CALIBRATED} Coherence and chips scaled for a network can't be mapped. {SAY}"
            checks.append(Check(f"distribution of {name}", f"{name} looks scaled: {found}", wanted, REFUSED, hint))
            continue
        verdict = OK if brightest > 1 else _too_bright(values, polarisation_kind(name), units)
        if verdict != OK:
            found = f"{name} is bright, median {np.median(values):.3g}, and yet all of it lies below 1"
            hint = f"If these are chips scaled to 0…1, they can't be mapped: {CALIBRATED[0].lower()}{CALIBRATED[1:]}"
            hint += f" {SAY}" if verdict == REFUSED else ""
            checks.append(Check(f"distribution of {name}", found, wanted, verdict, hint))
    return checks


def _too_bright(values: NDArray[Any], kind: str | None, units: Units) -> str:
    """Judge a level that towns and rough slopes have, whose brightest points are above 1, in values that are not."""
    positive = values[values > 0]
    if kind is None or positive.size < MANY:
        return OK
    level = (20 if units is Units.AMPLITUDE else 10) * float(np.log10(np.median(positive)))
    near, beyond = BRIGHT[kind]
    return OK if level < near else WARNING if level < beyond else REFUSED


def _scaled(plane: NDArray[Any], keep: BoolArray, values: NDArray[Any]) -> str:
    low, median = (float(v) for v in np.percentile(values, (1, 50)))
    smallest, largest = float(values.min()), float(values.max())
    if low < NEGATIVE:
        return f"1 % of its values are below {low:.3g}"
    if largest == 1 and SCALED_MEDIAN[0] < median < SCALED_MEDIAN[1]:
        return f"it runs from {smallest:.3g} to exactly 1, median {median:.3g}"
    slope = growth(plane, keep)
    if largest < 1 and slope is not None and slope < STEADY and STEADY_MEDIAN < median < SCALED_MEDIAN[1]:
        return f"values of {smallest:.3g} to {largest:.3g}, median {median:.3g}, spread alike at every level"
    return ""


def check_levels(db: NDArray[Any], valid: NDArray[Any], names: Sequence[str], units: Units) -> list[Check]:
    """Compare the median of each band in dB [bands, H, W] with that of Sentinel-1 over land, sea, ice and towns."""
    checks = []
    for name, plane in zip(names, db):
        values = _picked(plane, valid)
        if values.size == 0:
            continue
        level, kind = float(np.median(values)), polarisation_kind(name)
        bounds = LEVEL[kind] if kind else ANY_LEVEL
        verdict = bounds.verdict(level) if values.size >= TELLING else OK
        found = f"the median of {name} is {level:.1f} dB, read as {units.value}"
        wanted = f"backscatter has {bounds.low:g} to {bounds.high:g} dB"
        hint = "" if verdict == OK else _level_hint(units) + (f" {SAY}" if verdict == REFUSED else "")
        checks.append(Check(f"level of {name}", found[0].upper() + found[1:], wanted, verdict, hint))
    return checks


def _level_hint(units: Units) -> str:
    others = " or ".join(u.value for u in (Units.DB, Units.LINEAR_POWER, Units.AMPLITUDE) if u is not units)
    return f"Check which bands were chosen. {CALIBRATED} If only the unit is wrong, say --units {others}."


def difference(db: NDArray[Any], valid: NDArray[Any], strong: float = -20.0) -> tuple[float, bool] | None:
    """Return the median of the first band less the second, and whether it is of pixels above the noise.

    Args:
        db: Two bands in dB, [2, H, W].
        valid: Validity [H, W].
        strong: Pixels of which one band is above this are no noise; without enough of them all pixels are taken.
    """
    keep = np.asarray(valid, dtype=np.bool_) & np.isfinite(db).all(axis=0)
    if np.count_nonzero(keep) < TELLING:
        return None
    above = keep & (np.asarray(db).max(axis=0) > strong)
    clear = np.count_nonzero(above) >= TELLING
    chosen = above if clear else keep
    return float(np.median(db[0][chosen].astype(np.float64) - db[1][chosen])), bool(clear)


def _picked(plane: NDArray[Any], valid: NDArray[Any]) -> DoubleArray:
    values: DoubleArray = plane[np.asarray(valid, dtype=np.bool_) & np.isfinite(plane)].astype(np.float64)
    return values
