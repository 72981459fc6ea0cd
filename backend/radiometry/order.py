"""Detect exchanged bands by their values: cross polarisation is weaker on land and on sea."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.radiometry.checks import ACCEPT, CORRECTED, OK, REFUSED, WARNING, Check
from backend.radiometry.parts import exchanged_in_parts
from backend.radiometry.plausibility import DIFFERENCE, SAY, difference, polarisation_kind
from backend.raster.band_names import acquisition
from backend.raster.bands import ASKED, POSITION

# Of pixels above the noise, VV - VH is 4.8 to 14.9 dB in all real rasters at hand. Within ALIKE of each other two bands
# are one polarisation twice, other sensors' data, or noise.
EXCHANGED, ALIKE, CLOSE = -2.5, 1.5, 3.0


def pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Return rows of the co-polarised and the cross-polarised band of each acquisition, as VV, VH or HH, HV."""
    kinds, dates = [polarisation_kind(name) for name in names], [acquisition(name) for name in names]
    rows = range(len(names))
    return [(a, b) for a, b in product(rows, rows) if (kinds[a], kinds[b]) == ("co", "cross") and dates[a] == dates[b]]


def check_order(
    db: NDArray[Any], valid: NDArray[Any], names: Sequence[str], found_by: str
) -> tuple[list[Check], list[int]]:
    """Compare the bands of each acquisition.

    Args:
        db: Backscatter in dB, [bands, H, W].
        valid: Validity [H, W].
        names: Names of the model's bands.
        found_by: How the bands were found: POSITION, ASKED, or anything else for by their names.

    Returns:
        Checks, and the rows of `db` in the order in which they are to be read.
    """
    checks, order = [], list(range(len(names)))
    for first, second in pairs(names):
        told = difference(db[[first, second]], valid)
        if told is None:
            continue
        check = _of_pair((names[first], names[second]), *told, found_by)
        if exchanged_in_parts(db[[first, second]], valid, EXCHANGED, CLOSE):
            check = _in_parts(names[first], names[second])
        if np.array_equal(db[first][valid], db[second][valid], equal_nan=True):
            check = _same(names[first], names[second])
        checks.append(check)
        if check.verdict == CORRECTED:
            order[first], order[second] = second, first
    return checks, order


def _of_pair(names: tuple[str, str], value: float, clear: bool, found_by: str) -> Check:
    vv, vh = names
    title, wanted = f"{vv} - {vh}", f"{vv} lies 5 to 10 dB, rarely 3 to 15, above {vh} on land and sea"
    found = f"The median of {vv} - {vh} is {value:.1f} dB"
    bands = "Check the names of the bands, or name them in the model's order with --bands, for instance --bands 2 1."
    if clear and value <= EXCHANGED:
        return _exchanged(names, value, found_by)
    if clear and abs(value) < ALIKE:
        hint = f"Check that these are two polarisations of Sentinel-1, measured together. {bands} {SAY}"
        return Check(title, found, wanted, REFUSED, hint)
    if clear and value < CLOSE and found_by == POSITION:
        found += ", and the bands have no names: which is which is unknown, so their order is used"
        return Check(title, found, wanted, WARNING, "Name the bands in the model's order with --bands, as --bands 1 2.")
    if DIFFERENCE.verdict(value) == REFUSED:
        return Check(title, found, wanted, REFUSED, f"{bands} {SAY}")
    if (clear and value < CLOSE) or DIFFERENCE.verdict(value) == WARNING:
        return Check(title, found, wanted, WARNING, bands)
    return Check(title, found, wanted, OK)


def _exchanged(names: tuple[str, str], value: float, found_by: str) -> Check:
    vv, vh = names
    title, wanted = f"{vv} - {vh}", f"{vv} lies 5 to 10 dB, rarely 3 to 15, above {vh} on land and sea"
    if found_by == POSITION:
        found = f"Bands without names: the one in the place of {vv} is weaker than that of {vh} by {-value:.1f} dB"
        return Check(title, found, f"taken as {vh}, {vv}", CORRECTED, "If that is wrong, give the order with --bands.")
    found = f"{vv} is weaker than {vh} by {-value:.1f} dB"
    if found_by == ASKED:
        return Check(title, found, wanted, WARNING, "The order given by --bands is kept; check it.")
    hint = f"The names of the bands contradict their values: check them, or give the order with --bands, or {ACCEPT}."
    return Check(title, found, wanted, REFUSED, hint)


def _in_parts(vv: str, vh: str) -> Check:
    hint = f"Tiles with different orders of bands may have been joined: bring all to one order first. {SAY}"
    found = f"{vv} is the weaker band in one part of the raster, and {vh} in another"
    return Check(f"{vv} - {vh}", found, "one band is the weaker one everywhere", REFUSED, hint)


def _same(vv: str, vh: str) -> Check:
    hint = f"Choose two different bands: give the file of the other polarisation, or --bands. {SAY}"
    return Check(f"{vv} - {vh}", f"{vv} and {vh} are the same values", "two polarisations differ", REFUSED, hint)
