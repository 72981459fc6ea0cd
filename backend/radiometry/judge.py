"""Judge the values of a raster: filling, unit, plausibility and order of the bands, in this sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.card.model_card import Band
from backend.core.arrays import BoolArray
from backend.core.errors import InputError
from backend.radiometry.checks import ACCEPT, ACCEPTED, CORRECTED, OK, REFUSED, UNITS, WARNING, Check
from backend.radiometry.convert import is_backscatter, rows_for_units, to_db
from backend.radiometry.filling import Filling, beyond, find_filling, without
from backend.radiometry.order import check_order
from backend.radiometry.parts import check_parts, check_speckle
from backend.radiometry.plausibility import SAY, check_constant, check_levels, check_linear, check_one_unit
from backend.radiometry.raw_numbers import better_refusal
from backend.radiometry.units import DB_RANGE, Units, check_coherence, check_units, decide_units, units_doubt
from backend.raster.bands import ASKED


@dataclass(frozen=True)
class Told:
    """Hold the known facts about a raster's values before they are read.

    Attributes:
        units: Declared unit of the backscatter; AUTO to decide.
        found_by: How the bands were found, see `order.check_order`.
        kinds: Data type of each band in the file.
        scaling: Scale and offset of each band, by which the file's numbers became the values.
        accept: Whether implausible values are accepted.
    """

    units: Units = Units.AUTO
    found_by: str = ""
    kinds: Sequence[str] = ()
    scaling: Sequence[tuple[float, float]] = ()
    accept: bool = False


@dataclass(frozen=True)
class Judgement:
    """Hold the result of judging the values.

    Attributes:
        units: Units of the backscatter; DB where there is none.
        checks: All checks; none is refused if `refuse` was called.
        filling: Values that are no data.
        order: Rows of the sample as they are to be read.
        valid: Validity of the sample without filling, bool [H, W].
    """

    units: Units
    checks: tuple[Check, ...]
    filling: tuple[Filling, ...]
    order: tuple[int, ...]
    valid: BoolArray


def judge(sample: NDArray[Any], valid: NDArray[Any], bands: Sequence[Band], told: Told) -> Judgement:
    """Judge a sample of a raster.

    Args:
        sample: Values from all over it, float32 [bands, H, W].
        valid: Validity [H, W].
        bands: The card's bands, one for each of the sample's.
        told: Known facts about the values.

    Returns:
        Checks that would refuse have the verdict "refused"; `checks.refuse` raises the first of them.

    Raises:
        InputError: The values fit no unit, or not the declared one.
    """
    kinds = list(told.kinds) or ["float32"] * len(bands)
    filling = find_filling(sample, valid, [not kind.startswith("float") for kind in kinds])
    good, names = without(sample, valid, filling), [band.name for band in bands]
    checks = [_filling_check(each, names, told.scaling) for each in filling]
    odd = beyond(sample, good)
    checks += [_beyond_check(name, plane, good) for name, plane in zip(names, odd) if plane.any()]
    good &= ~odd.any(axis=0)
    rows = [row for row, radar in enumerate(is_backscatter(bands)) if radar]
    check_coherence(sample[~is_backscatter(bands)], good)
    order = list(range(len(bands)))
    if not rows:  # coherence alone has no unit to decide
        return Judgement(Units.DB, tuple(checks), filling, tuple(order), good)
    radar, labels = sample[rows], [names[row] for row in rows]
    first = [rows.index(row) for row in rows_for_units(bands)]
    constant = check_constant(radar, good, labels)
    mixed = [*check_one_unit(radar, good, labels), *check_parts(radar, good, labels)]
    early = _accepted([*constant, *mixed], told.accept)
    # A single band that is something else makes the unit of all of them unclear.
    if any(check.verdict == REFUSED for check in early) and (mixed or len(constant) < len(labels)):
        return Judgement(Units.AUTO, (*checks, *early), filling, tuple(order), good)
    units, doubts = _units(radar[first], good, [labels[row] for row in first], replace(told, kinds=kinds))
    more, turned = _plausible(radar, good, labels, units, told.found_by)
    for row, other in zip(rows, turned):
        order[row] = rows[other]
    checks += [*early, *_accepted(more, told.accept), *doubts]
    return Judgement(units, tuple(checks), filling, tuple(order), good)


def _plausible(
    radar: NDArray[Any], valid: BoolArray, labels: Sequence[str], units: Units, found_by: str
) -> tuple[list[Check], list[int]]:
    checks = [] if units is Units.DB else check_linear(radar, valid, labels, units)
    db, good = to_db(radar, valid, units)
    checks += [] if units is Units.DB else check_speckle(db, good, labels)
    relations, order = check_order(db, good, labels, found_by)
    levels = check_levels(db[order], good, labels, units)
    # Near the edge in one respect is rare, in two it is something else: coherence, phase, or scaled values.
    if found_by != ASKED and any(check.verdict in (WARNING, CORRECTED) for check in relations):
        levels = _harder(levels)
    if sum(check.verdict == WARNING for check in checks) > 1:
        checks = _harder(checks)
    return [*checks, *levels, *relations], order


def _harder(checks: Sequence[Check]) -> list[Check]:
    return [replace(c, verdict=REFUSED, hint=f"{c.hint} {SAY}") if c.verdict == WARNING else c for c in checks]


def _units(sample: NDArray[Any], valid: BoolArray, names: Sequence[str], told: Told) -> tuple[Units, list[Check]]:
    units, wanted = told.units, "dB, linear power or amplitude"
    try:
        if units is not Units.AUTO:
            check_units(units, sample, valid)
            return units, [Check(UNITS, f"The units were given as {units.value}", wanted, OK)]
        units = decide_units(sample, valid)
    except InputError as error:
        raise better_refusal(error, sample, valid, names, told.kinds) from error
    doubt = units_doubt(sample, valid) or ""
    found = f"Units of the raster, judged by its values: {units.value}"
    return units, [Check(UNITS, found, wanted, WARNING if doubt else OK, doubt)]


def _filling_check(filling: Filling, names: Sequence[str], scaling: Sequence[tuple[float, float]]) -> Check:
    scale, offset = scaling[filling.row] if scaling else (1.0, 0.0)
    raw = f"{np.float32((filling.value - offset) / scale) if scale else filling.value:.9g}"
    stands = "" if (scale, offset) == (1, 0) else f" (in the file {raw})"
    share = f"{filling.share:.0%}" if filling.share >= 0.01 else f"{filling.share:.2%}"
    found = f"{share} of the pixels of {names[filling.row]} are exactly {filling.value:.7g}{stands}, read as nodata"
    hint = f"Declare it with gdal_edit.py -a_nodata {raw} or gdal_translate -a_nodata {raw}, and this warning ends."
    wanted = "a value that repeats exactly over many pixels is no backscatter"
    return Check(f"filling of {names[filling.row]}", found, wanted, CORRECTED, hint)


def _beyond_check(name: str, odd: BoolArray, valid: BoolArray) -> Check:
    share = np.count_nonzero(odd) / max(1, np.count_nonzero(valid))
    low, high = DB_RANGE
    found = f"{max(share, 1e-4):.2%} of the pixels of {name} lie outside {low:g} to {high:g} dB, read as nodata"
    hint = "A raster with filling was resampled without a nodata value; declare it before resampling."
    return Check(f"range of {name}", found, "no backscatter lies there", CORRECTED, hint)


def _accepted(checks: Sequence[Check], accept: bool) -> list[Check]:
    if not accept:
        return list(checks)
    said = f"Mapped all the same, as {ACCEPT.split()[0]} says."
    return [replace(c, verdict=ACCEPTED, hint=said) if c.verdict == REFUSED else c for c in checks]
