"""Compare simulated with real backscatter class by class, and mark where they part.

Command::

    python -m benchmarks.quality.simulator_levels --data SHARED [--scenes FOLDER] [--count 60]

Real values come from ``SHARED/points`` (500 points over the world at 20 m with twelve months each; then single regions,
without marks) and from labelled chips: of BigEarthNet, single places, floods and forest in Finland. Places kept for
tests are never read. Simulated values come from a data folder, or from scenes made now over ``SHARED/layouts``.

All figures are in dB but the correlation. A star marks a mean that differs by more than 1 dB, a spread that differs by
a factor of more than 1.5, and a correlation that differs by more than 0.15.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from scipy import ndimage

from backend.card import worldcover as lc
from benchmarks.quality.merged import images_of
from training.simulation.folder import SimulationRequest, write_folder

Values = NDArray[np.float64]
CHIPS = ("reben", "landcover_singles", "floods_dualpol", "finland_forest")
# Their labels of water are weak: from optical images of other dates, or flooded vegetation.
WEAK = ("Pakistan", "Mekong", "jja10", "qxb32", "c2sms_20170530")
CLASSES = (lc.TREE, lc.SHRUB, lc.GRASS, lc.CROP, lc.BUILT, lc.BARE, lc.WATER, lc.WETLAND)
PAIRS = ((lc.TREE, lc.GRASS), (lc.TREE, lc.CROP), (lc.TREE, lc.BUILT), (lc.CROP, lc.GRASS), (lc.CROP, lc.WATER))
WINDOWS = (3, 7, 15, 30)
# Windows of simulated points: in them as little speckle is left as in the monthly means of the real ones.
_POINT = 7
# Half of the simulated scenes are gamma0, 0.6 to 1.6 dB above sigma0; real values are sigma0.
_PRODUCT_DB = 0.55
# Real labels keep this many pixels from borders, so simulated ones are cut back likewise.
_INNER = 3
_LEAST_PIXELS, _LEAST_BLOCKS, _LEAST_CHIPS = 150, 6, 3
# Tables of figures by row name, from real points, real chips or simulated scenes.
Table = dict[str, float]


def read(image: Path) -> tuple[Values, NDArray[np.uint8]] | None:
    """Read power [2, H, W], NaN without data, and labels [H, W] of an image; None if it has no labels."""
    label = image.parent.parent / "labels" / image.name
    if not label.exists():
        return None
    with rasterio.open(image) as source, rasterio.open(label) as labels:
        db = source.read((1, 2), masked=True).astype(np.float64).filled(np.nan) * source.scales[0]
        return np.power(10.0, db / 10.0), labels.read(1)


def decibel(power: Values) -> Values:
    """Convert power to dB; zero and below become NaN."""
    return np.asarray(10.0 * np.log10(np.where(power > 0, power, np.nan)))


def blocks(power: Values, inside: NDArray[np.bool_], size: int) -> Values:
    """Average windows of ``size`` pixels that lie inside; dB [2, N]."""
    rows, columns = (n // size * size for n in inside.shape)
    shape = (rows // size, size, columns // size, size)
    whole = inside[:rows, :columns].reshape(shape).all((1, 3))
    means = power[:, :rows, :columns].reshape(2, *shape).mean((2, 4))
    return decibel(means[:, whole])


def chip_figures(power: Values, inside: NDArray[np.bool_], rng: np.random.Generator) -> Table:
    """Measure one class in one chip: level, texture of window means, correlation of VV and VH, and one point."""
    level = decibel(power[:, inside].mean(1))
    found: Table = {"VV": float(level[0]), "VH": float(level[1])}
    for size in WINDOWS:
        means = blocks(power, inside, size)
        if means.shape[1] >= _LEAST_BLOCKS:
            found[f"VV texture {size * 10} m"], found[f"VH texture {size * 10} m"] = np.nanstd(means, axis=1).tolist()
        if size == 3 and means.shape[1] >= _LEAST_BLOCKS:
            found["correlation within"] = float(np.corrcoef(means)[0, 1])
        if size == _POINT and means.shape[1] >= _LEAST_BLOCKS:
            found["point VV"], found["point VH"] = means[:, int(rng.integers(means.shape[1]))].tolist()
    return found


def classes_of(power: Values, labels: NDArray[np.uint8], rng: np.random.Generator, inner: int) -> dict[int, Table]:
    """Measure the classes of a chip, ``inner`` pixels from their borders, and the differences between them."""
    valid = np.isfinite(power).all(0)
    present: dict[int, Table] = {}
    for code in CLASSES:
        inside = valid & (labels == code)
        if inner:
            inside = ndimage.binary_erosion(inside, iterations=inner)
        if inside.sum() >= _LEAST_PIXELS:
            present[code] = chip_figures(power, inside, rng)
    for one, other in PAIRS:
        if one in present and other in present:
            for band in ("VV", "VH"):
                present[one][f"{band} above {lc.NAMES[other]}"] = present[one][band] - present[other][band]
    return present


def measure(images: Iterable[Path], rng: np.random.Generator, simulated: bool = False) -> dict[int, list[Table]]:
    """Measure all images; a list of figures by class, one entry a chip. Simulated power becomes that of sigma0."""
    found: dict[int, list[Table]] = defaultdict(list)
    for image in images:
        chip = read(image)
        if chip is None:
            continue
        power, labels = chip
        if simulated:
            power = power / 10.0 ** (_PRODUCT_DB / 10.0)
        elif any(word in image.name for word in WEAK):
            labels = np.where(labels == lc.WATER, lc.UNKNOWN, labels).astype(np.uint8)
        for code, figures in classes_of(power, labels, rng, _INNER if simulated else 0).items():
            found[code].append(figures)
    return found


def column(chips: Sequence[Table], key: str) -> Values:
    """Collect one figure of the chips that have it."""
    return np.array([chip[key] for chip in chips if key in chip])


def places(vv: Values, vh: Values) -> Table:
    """Describe the levels of places: means, spreads, VV-VH, and the correlation of VV and VH between places."""
    known = np.isfinite(vv) & np.isfinite(vh)
    return {
        "VV mean": float(np.nanmean(vv)),
        "VH mean": float(np.nanmean(vh)),
        "VV spread of places": float(np.nanstd(vv)),
        "VH spread of places": float(np.nanstd(vh)),
        "VV-VH mean": float(np.nanmean(vv - vh)),
        "VV-VH spread of places": float(np.nanstd(vv - vh)),
        "correlation of places": float(np.corrcoef(vv[known], vh[known])[0, 1]),
    }


def summary(chips: Sequence[Table]) -> Table:
    """Summarise the chips of a class."""
    if len(chips) < _LEAST_CHIPS:
        return {}
    rows = places(column(chips, "VV"), column(chips, "VH"))
    for key in sorted({key for chip in chips for key in chip}, key=lambda key: (key.split(" ")[1:2], key)):
        values = column(chips, key)
        if len(values) < _LEAST_CHIPS or key.startswith("point") or key in ("VV", "VH"):
            continue
        rows[f"{key} mean" if "above" in key else key] = float(np.nanmean(values))
        if "above" in key:
            rows[f"{key} spread"] = float(np.nanstd(values))
    return rows


def point_summary(folder: Path) -> dict[int, Table]:
    """Summarise the points over the world by class: every month counts, as a scene shows one date."""
    found: dict[int, list[tuple[Values, Values]]] = defaultdict(list)
    with open(folder / "worldcereal_500points_s1_dB.csv", newline="") as file:
        for row in csv.DictReader(file):
            vv, vh = (np.array([float(row[f"{band}_{m:02d}_dB"] or "nan") for m in range(12)]) for band in ("VV", "VH"))
            found[int(row["worldcover"])].append((vv, vh))
    rows: dict[int, Table] = {}
    for code, values in found.items():
        if code in CLASSES and len(values) >= _LEAST_CHIPS:
            vv, vh = (np.array([value[band] for value in values]) for band in (0, 1))
            rows[code] = places(vv.ravel(), vh.ravel())
    return rows


def regions(folder: Path) -> list[str]:
    """Write the levels of single regions, whose climates the simulator draws too; none without their file."""
    path = folder / "points.csv.gz"
    found: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    if path.exists():
        with gzip.open(path, "rt", newline="") as file:
            for row in csv.DictReader(file):
                code = int(row["worldcover"] or 0)
                # In its lakes, the map's other classes are errors.
                lake = "algae" in row["source"] and code != lc.WATER
                if code in CLASSES and row["vv"] and row["vh"] and not lake:
                    found[row["source"], code].append((float(row["vv"]), float(row["vh"])))
    lines = ["", "| region | class | VV | VH | spread VV | spread VH |", "|---|---|---|---|---|---|"]
    for (source, code), values in sorted(found.items()):
        if len(values) >= _LEAST_CHIPS:
            figures = [*np.mean(values, axis=0), *np.std(values, axis=0)]
            lines.append(f"| {source} | {lc.NAMES[code]} | {' | '.join(f'{value:.2f}' for value in figures)} |")
    return lines if found else []


def parted(name: str, real: float, simulated: float) -> bool:
    """Return whether two figures differ, by the rules in the head of this file."""
    if "correlation" in name:
        return abs(real - simulated) > 0.15
    if name.endswith("mean"):
        return abs(real - simulated) > 1.0
    return not 1 / 1.5 <= simulated / max(real, 1e-6) <= 1.5


def report(points: dict[int, Table], chips: dict[int, list[Table]], made: dict[int, list[Table]]) -> list[str]:
    """Write the comparison as lines of a Markdown table."""
    lines = ["| class | figure | points | simulated points | chips | simulated chips |", "|---|---|---|---|---|---|"]
    for code in CLASSES:
        sim_points = [c for c in made[code] if "point VV" in c]
        pair: list[tuple[Table, Table]] = [(points.get(code, {}), {}), (summary(chips[code]), summary(made[code]))]
        if len(sim_points) >= _LEAST_CHIPS:
            pair[0] = (pair[0][0], places(column(sim_points, "point VV"), column(sim_points, "point VH")))
        for name in dict.fromkeys(name for real, simulated in pair for name in (*real, *simulated)):
            cells = []
            for real, simulated in pair:
                mark = "*" if name in real and name in simulated and parted(name, real[name], simulated[name]) else ""
                cells += [f"{real[name]:.2f}" if name in real else ""]
                cells += [f"{simulated[name]:.2f}{mark}" if name in simulated else ""]
            lines.append(f"| {lc.NAMES[code]} | {name} | {' | '.join(cells)} |")
        lines.append(f"| {lc.NAMES[code]} | scenes | | | {len(chips[code])} | {len(made[code])} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with points/, reben/, ... and layouts/")
    parser.add_argument("--scenes", type=Path, help="simulated data folder; scenes are made without it")
    parser.add_argument("--count", type=int, default=60, help="number of scenes to make")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.scenes or Path(scratch) / "simulated"
        if not options.scenes:
            layouts = options.data / "layouts"
            request = SimulationRequest(
                folder, options.count, options.seed, layouts=layouts if layouts.is_dir() else None
            )
            write_folder(request)
        made = measure(images_of(folder), rng, simulated=True)
    real = [image for name in CHIPS for image in images_of(options.data / name)]
    lines = report(point_summary(options.data / "points"), measure(real, rng), made)
    print("\n".join([*lines, *regions(options.data / "points")]))
    print(f"\n{sum(line.count('*') for line in lines)} figures part.")


if __name__ == "__main__":
    main()
