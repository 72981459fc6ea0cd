"""Make the rows of an output from the dates of a part: statistics by period, or filtered dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from backend.core.arrays import FloatArray
from backend.radiometry.convert import from_power
from backend.raster.acquisition import span_tags
from backend.series.series import Series
from backend.series.speckle_filter import REACH, LooksMeter, filtered
from backend.series.statistics import LEVELS, over_dates


class Maker(Protocol):
    """Make bands of the output.

    Attributes:
        names: Names of the bands.
        halo: Pixels around a part that it needs.
        tags: Tags of the output.
    """

    names: tuple[str, ...]
    halo: int
    tags: dict[str, str]

    def make(self, power: FloatArray) -> FloatArray:
        """Return float32 [bands, H, W] from linear power [dates, polarisations, H + 2 halo, W + 2 halo]."""

    def facts(self) -> dict[str, Any]:
        """Return the facts for the result event."""

    def notes(self) -> list[str]:
        """Return the lines for the end of the log."""


class Composite:
    """Compute statistics by period.

    Bands are named VV_mean, or VV_mean_2021-07: by the first, `landcover` finds VV and VH.

    Args:
        series: Dates on one grid.
        statistics: Wanted.
        periods: Indices of dates by name, "" for all.
        units: Units of levels: "db" or "linear_power".
    """

    halo = 0

    def __init__(
        self, series: Series, statistics: Sequence[str], periods: Mapping[str, Sequence[int]], units: str
    ) -> None:
        self._each = [name for name in statistics if name != "count"]
        self._count = "count" in statistics
        self._periods, self._db, self._polarisations = periods, units == "db", series.polarisations
        self._spans = [member.span for member in series.members]
        self.names = tuple(name for period in periods for name in self._named(period))
        self.tags = {**span_tags(self._spans), **_common_tags(units, "composite")}
        for period, indices in periods.items():
            if period:
                self.tags[f"SARDINO_DATES_{period}"] = span_tags([self._spans[i] for i in indices])["SARDINO_DATES"]

    def _named(self, period: str) -> list[str]:
        end = f"_{period}" if period else ""
        names = [f"{band}_{statistic}{end}" for statistic in self._each for band in self._polarisations]
        return [*names, *([f"count{end}"] if self._count else [])]

    def make(self, power: FloatArray) -> FloatArray:
        made: list[FloatArray] = []
        for indices in self._periods.values():
            of_period = power if len(indices) == len(power) else power[list(indices)]
            made += self._made(of_period)
        return np.stack(made)

    def _made(self, power: FloatArray) -> list[FloatArray]:
        # A pixel is valid in all polarisations of a date or in none.
        count = np.isfinite(power[:, 0]).sum(axis=0).astype(np.float32)
        by_band = [over_dates(power[:, band], self._each) for band in range(power.shape[1])]
        made = [
            from_power(found[statistic]) if self._db and statistic in LEVELS else found[statistic]
            for statistic in self._each
            for found in by_band
        ]
        return [*made, *([count] if self._count else [])]

    def facts(self) -> dict[str, Any]:
        return {"periods": {name or "all": len(indices) for name, indices in self._periods.items()}}

    def notes(self) -> list[str]:
        if len(self._periods) < 2:
            return []
        return ["Dates by period: " + ", ".join(f"{name} {len(each)}" for name, each in self._periods.items()) + "."]


class Filtered:
    """Filter the speckle of the dates.

    Args:
        series: Dates on one grid.
        units: "db" or "linear_power".
    """

    halo = REACH

    def __init__(self, series: Series, units: str) -> None:
        self._db, self._polarisations = units == "db", series.polarisations
        spans = [member.span for member in series.members]
        texts = [span.text.replace("/", "_") if span else f"date{n}" for n, span in enumerate(spans, 1)]
        seen: Counter[str] = Counter()
        labels = []
        for text in texts:
            seen[text] += 1
            labels.append(text if seen[text] == 1 else f"{text}_{seen[text]}")
        self.names = tuple(f"{band}_{label}" for label in labels for band in self._polarisations)
        self.tags = {**span_tags(spans), **_common_tags(units, "dates")}
        self._looks = {band: (LooksMeter(), LooksMeter()) for band in self._polarisations}

    def make(self, power: FloatArray) -> FloatArray:
        made = np.empty_like(power)
        for band in range(len(self._polarisations)):
            made[:, band] = filtered(power[:, band])
        inner = (..., slice(REACH, -REACH), slice(REACH, -REACH))
        made, before = made[inner], power[inner]
        for band, name in enumerate(self._polarisations):
            for looks, values in zip(self._looks[name], (before, made)):
                for plane in values[:, band]:
                    looks.add(plane)
        if self._db:
            made = from_power(made)
        return made.reshape(-1, *made.shape[2:])

    def facts(self) -> dict[str, Any]:
        return {
            "looks": {name: [_rounded(looks.median()) for looks in pair] for name, pair in self._looks.items()},
        }

    def notes(self) -> list[str]:
        told = [
            f"{name} {pair[0]} before, {pair[1]} after"
            for name, pair in self.facts()["looks"].items()
            if None not in pair
        ]
        return [f"Equivalent number of looks (median of blocks): {'; '.join(told)}."] if told else []


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _common_tags(units: str, kind: str) -> dict[str, str]:
    return {"SARDINO_OUTPUT": kind, "SARDINO_UNITS": units}
