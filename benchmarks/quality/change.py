"""Measure the change of SAR dates: false alarms without change, what is marked on real pairs, and floods found.

    python -m benchmarks.quality.change [DATA] [--scenes 40] [--sites 694] [--json PATH]

Simulated: two dates of one scene, without change but for a square of 40 x 40 pixels where power fell by 3 dB. Of DATA
(folders of `tools.real_data`): opera_rtc_30m, pairs of dates of a burst by the days between them; finland_forest,
pairs of monthly means; ombria, floods. Real pairs have real changes, so what is marked there is an upper bound of false
alarms. Chips of OMBRIA were stretched one by one: their percentiles are taken to span 25 dB, and levels are joined at
the upper quartile, which most floods don't reach. So its figures are of relative levels, and the ratio of two chips
has errors that calibrated dates don't have.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from backend.change.looks import estimate_looks
from backend.change.multilook import multilook
from backend.change.sar_rows import DARKER, SAME, SarRows, examine_rows
from backend.core.errors import InputError
from training.simulation.climate import draw_climate
from training.simulation.layout import procedural
from training.simulation.receiver import draw_receiver, observe
from training.simulation.signature import class_texture, draw_levels

WINDOW, LEVELS = 7, (0.05, 0.01, 0.001)
SPAN = 25.0  # dB
SHAPE, SQUARE = (256, 256), np.s_[40:80, 40:80]
DB = 10 / np.log(10)
# Days between dates of OPERA: name, first and last.
GAPS = {"6 to 12 days": (1, 12), "13 to 60 days": (13, 60), "about a year": (340, 390), "about two years": (700, 760)}


def compared(first: NDArray[Any], second: NDArray[Any], level: float = 0.01, looks: float | None = None) -> SarRows:
    """Compare two dates in dB, [polarisations, H, W], NaN where not valid."""
    valid = np.isfinite(first).all(axis=0) & np.isfinite(second).all(axis=0)
    power = np.where(valid, np.power(10.0, np.nan_to_num(np.stack((first, second))) / 10), 0).astype(np.float32)
    ratios = np.where(valid, (np.nan_to_num(second) - np.nan_to_num(first)) / DB, 0)
    found = [estimate_looks([(ratio, valid)], WINDOW, looks).window for ratio in ratios]
    return examine_rows(multilook(power, valid, WINDOW), found, level)


def simulated(scenes: int) -> dict[str, Any]:
    """Return the share marked without change at each level, and inside the square that fell, at 1 %."""
    marked, inside, total = np.zeros(len(LEVELS)), [], 0
    for seed in range(scenes):
        rng = np.random.default_rng(seed)
        layout, climate = procedural(rng, SHAPE), draw_climate(rng)
        levels, texture, receiver = draw_levels(rng, climate), class_texture(rng, layout), draw_receiver(rng, climate)
        table = np.full((2, 256), -14.0, np.float32)
        for code, level in levels.items():
            table[:, code] = level
        power = [np.power(np.float32(10), (table[band][layout] + texture[band]) / 10) for band in (0, 1)]
        first, same = (np.stack([observe(rng, power[b], receiver, b) for b in (0, 1)]) for _ in range(2))
        rows = compared(first, same)
        seen = rows.outcome > 0
        marked += [np.count_nonzero(rows.p_value[seen] < level) for level in LEVELS]
        total += np.count_nonzero(seen)
        for plane in power:
            plane[SQUARE] /= 2
        fell = compared(first, np.stack([observe(rng, power[b], receiver, b) for b in (0, 1)]))
        inside.append(float(np.mean(fell.outcome[44:76, 44:76] == DARKER)))
    return {
        "false alarms": dict(zip(map(str, LEVELS), (marked / total).tolist())),
        "square found": float(np.mean(inside)),
    }


def read_db(path: Path) -> NDArray[np.float32]:
    """Read all bands in dB, NaN for nodata."""
    with rasterio.open(path) as file:
        values = file.read().astype(np.float32) * np.float32(file.scales[0])
        values[:, (file.read_masks() == 0).any(axis=0)] = np.nan
    return values


def marked_share(first: NDArray[Any], second: NDArray[Any], within: NDArray[Any] | None = None) -> float | None:
    """Return the share of pixels that is marked at 1 %; None where looks can't be estimated."""
    try:
        outcome = compared(first, second).outcome
    except InputError:
        return None
    seen = (outcome > 0) & (True if within is None else within)
    return float(np.mean(outcome[seen] != SAME)) if seen.any() else None


def summary(shares: list[float]) -> dict[str, float]:
    """Return number, quartiles."""
    low, middle, high = np.percentile(shares, (25, 50, 75)) if shares else (np.nan,) * 3
    return {"pairs": len(shares), "quarter": float(low), "median": float(middle), "three quarters": float(high)}


def opera(folder: Path) -> dict[str, Any]:
    """Return the share marked, by the days between two dates of a burst; at most 8 pairs of a burst and gap."""
    bursts: dict[str, list[tuple[date, Path]]] = {}
    for path in sorted(folder.glob("*.tif")):
        burst, day = path.stem.rsplit("_", 1)
        bursts.setdefault(burst, []).append((date(int(day[:4]), int(day[4:6]), int(day[6:])), path))
    shares: dict[str, list[float]] = {gap: [] for gap in GAPS}
    for dates in bursts.values():
        for gap, (low, high) in GAPS.items():
            pairs = [(a, b) for i, (d, a) in enumerate(dates) for e, b in dates[i + 1 :] if low <= (e - d).days <= high]
            for first, second in pairs[:: max(1, len(pairs) // 8)]:
                share = marked_share(read_db(first), read_db(second))
                shares[gap] += [] if share is None else [share]
    return {gap: summary(found) for gap, found in shares.items()}


def finland(folder: Path) -> dict[str, Any]:
    """Return the share of forest that is marked between months of a series, by the months between them."""
    shares: dict[str, list[float]] = {}
    for path in sorted((folder / "series").glob("*.tif")):
        values = read_db(path)
        with rasterio.open(path) as file:
            months = sorted({int(re.sub(r"\D", "", text)) for text in file.descriptions})
        with rasterio.open(folder / "labels" / path.name) as file:
            forest = file.read(1) == 10
        if len(months) < 12:
            continue
        for step in (1, 6):
            for month in range(12 - step):
                pair = (values[2 * m : 2 * m + 2] for m in (month, month + step))
                share = marked_share(*pair, within=forest)
                shares.setdefault(f"{step} months apart", []).extend([] if share is None else [share])
    return {step: summary(found) for step, found in shares.items()}


def in_decibels(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a stretched chip in dB but for its level: [1, H, W], NaN where no data.

    The 1st to 99th percentile are taken to span SPAN, as usual of land in VV.
    """
    numbers = np.where((values > 0) & (values < 255), values.astype(np.float32), np.nan)
    low, level, high = np.nanpercentile(numbers, (1, 75, 99))
    return ((numbers - level) * np.float32(SPAN / max(high - low, 1)))[None]


def ombria_sites(folder: Path, most: int) -> Iterator[tuple[str, NDArray[Any], NDArray[Any], NDArray[np.bool_]]]:
    """Yield group, both dates in dB, and flood, of sites with 1 to 80 % of flood."""
    with (folder / "sites.csv").open(encoding="utf-8") as file:
        sites = [(row["name"], row["group"]) for row in csv.DictReader(file)]
    for name, group in sites[:: max(1, len(sites) // most)]:
        planes = []
        for kind in ("before", "after", "flood"):
            with rasterio.open(folder / kind / f"{name}.png") as opened:
                planes.append(opened.read(1))
        flood = planes[2] > 0
        if 0.01 <= flood.mean() <= 0.8 and all((plane > 0).mean() > 0.5 for plane in planes[:2]):
            yield group, in_decibels(planes[0]), in_decibels(planes[1]), flood


def floods(folder: Path, most: int) -> dict[str, Any]:
    """Return AUC against flood labels, mean over groups, and the shares marked inside and outside of floods."""
    scores: dict[str, Callable[[SarRows, NDArray[Any]], NDArray[Any]]] = {
        "pixel log-ratio": lambda rows, dates: dates[0] - dates[1],
        "mean log-ratio": lambda rows, dates: -rows.decibels[0],
        "later date alone": lambda rows, dates: -dates[1],
        "p value, signed": lambda rows, dates: np.log(rows.p_value.clip(1e-30)) * np.sign(rows.decibels[0]),
    }
    aucs: dict[str, dict[str, list[float]]] = {name: {} for name in scores}
    shares: dict[str, list[float]] = {"flood marked as fallen": [], "rest marked as fallen": []}
    sites = 0
    for group, first, second, flood in ombria_sites(folder, most):
        try:
            rows = compared(first, second)
        except InputError:
            continue
        seen = (rows.outcome > 0) & np.isfinite(first[0] - second[0])
        if len(np.unique(flood[seen])) < 2:
            continue
        sites += 1
        for name, score in scores.items():
            value = roc_auc_score(flood[seen], score(rows, np.concatenate((first, second)))[seen])
            aucs[name].setdefault(group, []).append(float(value))
        fell = rows.outcome == DARKER
        shares["flood marked as fallen"].append(float(fell[seen & flood].mean()))
        shares["rest marked as fallen"].append(float(fell[seen & ~flood].mean()))
    return {
        "sites": sites,
        "groups": len(aucs["pixel log-ratio"]),
        "auc": {name: float(np.mean([np.mean(each) for each in found.values()])) for name, found in aucs.items()},
        **{name: float(np.mean(found)) for name, found in shares.items()},
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of real data sets")
    parser.add_argument("--scenes", type=int, default=40, help="simulated scenes (default 40)")
    parser.add_argument("--sites", type=int, default=694, help="most sites of OMBRIA (default all)")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    result: dict[str, Any] = {"simulated": simulated(given.scenes)}
    if given.data:
        result["opera_rtc_30m"] = opera(given.data / "opera_rtc_30m")
        result["finland_forest"] = finland(given.data / "finland_forest")
        result["ombria"] = floods(given.data / "ombria", given.sites)
    for name, figures in result.items():
        print(f"{name}: {json.dumps(figures, default=float)}")
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
