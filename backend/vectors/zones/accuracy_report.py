"""Correct the areas of classes in a polygon by the errors that an accuracy report found on the whole map.

The estimator is that of Olofsson et al. (2014, Remote Sensing of Environment 148, 42-57, equations 9 to 11) with the
areas of the polygon as the areas of the strata, and the report's sampling units as the units of each stratum: a
synthetic estimate (Rao and Molina 2015, Small Area Estimation, chapter 3). It assumes that what the map calls a class
is wrong as often, and in the same way, in the polygon as on the whole map. The interval holds the chance of the sample,
not a departure from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.accuracy.stratified import MIN_UNITS, estimate, interval
from backend.core.arrays import IntArray
from backend.core.errors import InputError
from backend.core.plain_json import parse_json
from backend.core.regular_file import read_regular_text

MOST_BYTES = 64 * 2**20
METHOD = (
    "Estimated areas: the areas of the map in each polygon, corrected by the error rates that the accuracy report "
    "found on the whole map, with 95 % confidence intervals (Olofsson et al. 2014, equations 9 to 11). This assumes "
    "that the map is wrong as often, and in the same way, in every polygon as on the whole map; where it isn't, "
    "intervals are too narrow."
)


@dataclass(frozen=True)
class Corrected:
    """Hold the area of a class and its 95 % confidence interval; both ends are None if the sample allows none."""

    area: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class AccuracyReport:
    """Hold the sampling units of an accuracy report.

    Attributes:
        values: Classes, in the order of the matrix.
        names: Names of the classes.
        units: Sampling units, int64 [map class, reference class].
        map: Path of the map that the report is about.
    """

    values: list[int]
    names: dict[int, str]
    units: IntArray
    map: str

    @staticmethod
    def read(path: Path) -> AccuracyReport:
        """Read the JSON that `accuracy --json` writes.

        Raises:
            InputError: It can't be read, is something else, or has no sampling units.
        """
        hint = "Give the file that `accuracy --json` writes (in QGIS: All figures)."
        try:
            facts = parse_json(read_regular_text(path, MOST_BYTES))
        except OSError as error:
            raise InputError(f"{path} can't be read ({error.strerror}).", hint) from error
        except ValueError as error:
            raise InputError(f"{path} is not JSON.", hint) from error
        try:
            estimates = facts["estimates"]
            values = [int(item["value"]) for item in facts["classes"]]
            names = {int(item["value"]): str(item["name"]) for item in facts["classes"] if item["name"]}
            units = None if estimates is None else np.array(estimates["matrix"], np.int64)
            name = str(facts["map"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{path} is not an accuracy report.", hint) from error
        if units is None:
            raise InputError(
                f"The accuracy report {path} has no sampling units: its reference was compared pixel by pixel.",
                "Make it with points or polygons, or with a sample size.",
            )
        if units.shape != (len(values), len(values)) or len(set(values)) != len(values) or (units < 0).any():
            raise InputError(f"{path} is not an accuracy report: its matrix doesn't fit its classes.", hint)
        return AccuracyReport(values, names, units, name)

    def corrected(self, areas: Mapping[int, float]) -> dict[int, Corrected] | None:
        """Return the corrected area of each class of the report.

        Args:
            areas: Area of each class of the map in a polygon.

        Returns:
            None if the polygon holds a class of the map of which the report has fewer than MIN_UNITS units.
        """
        enough = {value for value, row in zip(self.values, self.units) if row.sum() >= MIN_UNITS}
        there = {value for value, area in areas.items() if area > 0}
        if not there or not there <= enough:
            return None
        found = estimate(self.units, np.array([areas.get(value, 0.0) for value in self.values]))
        return {value: _corrected(pair, found.total) for value, pair in zip(self.values, found.areas)}


def _corrected(pair: Any, total: float) -> Corrected:
    area, error = float(pair[0]), float(pair[1])
    if error == 0:
        # All units right or none: the formula gives an interval of zero width, which says little.
        return Corrected(area, None, None)
    low, high = interval((area, error))
    return Corrected(area, max(0.0, low), min(total, high))
