"""Measure what more dates change: three ways to map several dates, by number of dates, on kept real series.

    python -m benchmarks.quality.dates REAL [--model MODEL] [--draws 6] [--numbers 1 2 4 8 12] [--json PATH]

REAL holds the folders of `tools.real_data`. Labelled series are Finland (places and directions with twelve monthly
means; trees from LiDAR, and water, fields and towns) and parcels (Flanders, up to 159 dates in 16 months, 20 m pixels).
Of each the table has the overall accuracy and the mean IoU over the classes that the labels hold, of merged classes:
the mean over draws of so many dates; every way maps the same draws. Unlabelled series are OPERA (bursts of 30 dates,
30 m) and Belgium (ten dates): of these it has the share of pixels that two maps of other dates agree on, drawn without
a date in common, which isn't accuracy, but shows how much of a map is chance.

The ways: "composite" maps the mean in power by the model; "mean" maps each date and takes the mean of the
probabilities; "log mean" takes the mean of their logarithms, the product of what each date says.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

from backend.accuracy.scores import Confusion
from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from backend.radiometry.units import Units
from backend.stream.decision import decision
from benchmarks.quality.merged import GROUPS, NAMES, label_of

FLOOR = 1e-6  # of a probability whose logarithm is taken
WAYS = ("composite", "mean", "log mean")
Stack = NDArray[np.float32]


@dataclass(frozen=True)
class Series:
    """Hold the dates of one place.

    Attributes:
        name: Name of the place.
        db: VV and VH in dB, float32 [dates, 2, H, W], NaN where invalid.
        transform: Transform of the raster; identity where it has none.
        crs: CRS of the raster; None where it has none.
        target: Merged class index [H, W], -1 where unlabelled; None without labels.
    """

    name: str
    db: Stack
    transform: Affine
    crs: Any
    target: NDArray[np.int16] | None


def stacked(paths: Sequence[Path], name: str, target: NDArray[np.int16] | None) -> Series:
    """Read VV, VH, VV, VH … of one file, or of a file for each date."""
    parts, transform, crs = [], Affine.identity(), None
    for path in paths:
        with rasterio.open(path) as file:
            values = file.read(masked=True).astype(np.float32).filled(np.nan) * np.float32(file.scales[0])
            transform, crs = file.transform, file.crs
        parts.append(values.reshape(-1, 2, *values.shape[1:]))
    db = np.concatenate(parts)
    return Series(name, db[np.isfinite(db).any(axis=(1, 2, 3))], transform, crs, target)


def labelled(real: Path) -> Iterator[tuple[str, Series]]:
    """Yield the labelled series of two dates or more, with the set each belongs to."""
    for folder, label in (("finland_forest", "Finland"), ("parcels_20m", "parcels")):
        for path in sorted((real / folder / "series").glob("*.tif")):
            image = real / folder / "images" / path.name
            series = stacked([path], path.stem, GROUPS[label_of(image)])
            if len(series.db) > 2:
                yield label, series


def unlabelled(real: Path) -> Iterator[tuple[str, Series]]:
    """Yield the series without labels, with the set each belongs to."""
    bursts = sorted({path.name.rpartition("_")[0] for path in (real / "opera_rtc_30m").glob("T*.tif")})
    for burst in bursts:
        yield "OPERA", stacked(sorted((real / "opera_rtc_30m").glob(f"{burst}_*.tif")), burst, None)
    dates = sorted((real / "dualpol_misc" / "images").glob("gfmap_belgium_2*.tif"))
    yield "Belgium", stacked(dates, "belgium", None)


class Mapping:
    """Map dates of a series with a model, each once.

    Args:
        model: Name or folder; None for the default.
        series: Dates of one place.
        context: Keeps the model loaded.
    """

    def __init__(self, model: str | None, series: Series, context: MapContext) -> None:
        self._model, self._series, self._context = model, series, context
        self._single: dict[int, Stack] = {}

    def probabilities(self, way: str, dates: Sequence[int]) -> Stack:
        """Return probabilities [classes, H, W] of some dates, NaN where no date has data."""
        if way == "composite":
            with np.errstate(divide="ignore"):
                power = np.power(np.float32(10), self._series.db[list(dates)] / 10)
                return self._mapped(10 * np.log10(_mean(power)))
        each = np.stack([self._of(date) for date in dates])
        if way == "mean":
            return _mean(each)
        joined = np.exp(_mean(np.log(np.maximum(each, FLOOR))))
        return joined / joined.sum(axis=0)

    def _of(self, date: int) -> Stack:
        if date not in self._single:
            self._single[date] = self._mapped(self._series.db[date])
        return self._single[date]

    def _mapped(self, db: Stack) -> Stack:
        with tempfile.TemporaryDirectory() as scratch:
            image, output, shares = (Path(scratch) / f"{name}.tif" for name in ("image", "map", "shares"))
            _, height, width = db.shape
            profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": height, "width": width}
            place = {"crs": self._series.crs, "transform": self._series.transform, "nodata": np.nan}
            with rasterio.open(image, "w", **profile, **place) as file:
                file.write(db)
                file.descriptions = ("VV", "VH")
            request = Request(str(image), output, self._model, units=Units.DB, accept_values=True)
            landcover(request, probabilities=shares, context=self._context)
            with rasterio.open(shares) as file:
                result: Stack = file.read()
        return result


def _mean(values: Stack) -> Stack:
    """Return the mean over the first axis of what isn't NaN; NaN where nothing is left."""
    count = np.isfinite(values).sum(axis=0)
    total = np.where(np.isfinite(values), values, 0).sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total / count).astype(np.float32)


class Deciding:
    """Choose merged classes from probabilities by the rule of a model's card."""

    def __init__(self, model: str | None) -> None:
        card = ModelCard.load(model_folder(model) / CARD)
        self._values = np.array([item.value for item in card.classes])
        self._decide = decision(card.classes)

    def __call__(self, probabilities: Stack) -> NDArray[np.int16]:
        there = np.isfinite(probabilities).all(axis=0)
        best = self._values[self._decide(np.where(there, probabilities, np.float32(0)))]
        return np.where(there, GROUPS[best], np.int16(-1)).astype(np.int16)


def draws_of(count: int, number: int, draws: int, seed: str) -> list[NDArray[np.intp]]:
    """Return `draws` sets of `number` of `count` dates, sorted; all of them once where they are all there are."""
    rng = np.random.default_rng(sum(map(ord, seed)) + number)
    if number >= count:
        return [np.arange(count)]
    return [np.sort(rng.permutation(count)[:number]) for _ in range(draws)]


Table = dict[str, dict[str, dict[int, dict[str, float]]]]


def scored(given: argparse.Namespace, context: MapContext, decide: Callable[[Stack], NDArray[np.int16]]) -> Table:
    """Return overall accuracy and mean IoU by set, way and number of dates; all places of a set count together."""
    confusions: dict[tuple[str, str, int, int], Confusion] = {}
    for name, series in labelled(given.real):
        mapping = Mapping(given.model, series, context)
        for number in (n for n in given.numbers if n <= len(series.db)):
            for draw, dates in enumerate(draws_of(len(series.db), number, given.draws, series.name)):
                for way in WAYS:
                    confusion = confusions.setdefault((name, way, number, draw), Confusion(NAMES))
                    confusion.add(series.target, decide(mapping.probabilities(way, dates)))
    table: Table = {}
    for (name, way, number, _), confusion in confusions.items():
        found = confusion.scores()
        cell = table.setdefault(name, {}).setdefault(way, {}).setdefault(number, {"oa": 0.0, "miou": 0.0, "draws": 0})
        for key, value in (("oa", found["overall_accuracy"]), ("miou", found["mean_iou"])):
            cell[key] = (cell[key] * cell["draws"] + value) / (cell["draws"] + 1)
        cell["draws"] += 1
    return table


def repeated(given: argparse.Namespace, context: MapContext, decide: Callable[[Stack], NDArray[np.int16]]) -> Table:
    """Return the share of pixels on which maps of two sets of dates agree, by set, way and number of dates."""
    found: dict[tuple[str, str, int], list[float]] = {}
    for name, series in unlabelled(given.real):
        mapping = Mapping(given.model, series, context)
        for number in (n for n in given.numbers if 2 * n <= len(series.db)):
            for dates in draws_of(len(series.db), 2 * number, given.draws, series.name):
                mixed = np.random.default_rng(int(dates.sum())).permutation(dates)
                for way in WAYS:
                    first, second = (
                        decide(mapping.probabilities(way, half)) for half in (mixed[:number], mixed[number:])
                    )
                    both = (first >= 0) & (second >= 0)
                    found.setdefault((name, way, number), []).append(float((first == second)[both].mean()))
    table: Table = {}
    for (name, way, number), shares in found.items():
        table.setdefault(name, {}).setdefault(way, {})[number] = {"agree": float(np.mean(shares))}
    return table


def show(title: str, table: Table, key: str, numbers: Sequence[int]) -> None:
    """Print one figure of a table: a row for each set and way, a column for each number of dates."""
    print(f"\n{title}\n{'':24}" + "".join(f"{number:>8}" for number in numbers))
    for name, ways in table.items():
        for way, cells in ways.items():
            shown = (f"{cells[n][key]:8.3f}" if n in cells else f"{'':8}" for n in numbers)
            print(f"{name:12}{way:12}" + "".join(shown))


def main() -> None:
    """Measure, print the tables and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--numbers", type=int, nargs="+", default=[1, 2, 4, 8, 12])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    context, decide = MapContext(), Deciding(given.model)
    scores = scored(given, context, decide)
    show("Overall accuracy by number of dates", scores, "oa", given.numbers)
    show("Mean IoU by number of dates", scores, "miou", given.numbers)
    agreement = repeated(given, context, decide)
    show("Share of pixels on which maps of other dates agree", agreement, "agree", given.numbers)
    if given.json:
        given.json.write_text(json.dumps({"scores": scores, "agreement": agreement}, indent=1) + "\n")


if __name__ == "__main__":
    main()
