"""Measure which layer of uncertainty finds the errors of the map best, on real places.

    python -m benchmarks.quality.uncertainty REAL [--model NAME|DIR] [--sets …] [--json PATH]

REAL and the sets are those of `benchmarks.quality.real_sets`. For each set: the area under the ROC curve (AUC) by which
a layer of `landcover` separates correct from wrong pixels, over all labelled pixels of the set; 0.5 is chance, 1 is
perfect. "overlap" compares on those pixels alone where tiles overlap, which are the only ones that have a
disagreement; chips of one tile have none. "mean of places" is the mean of the AUC of each chip that has both right and
wrong pixels. A minute or two on two cores.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from backend.maps.uncertainty import MEASURES
from backend.radiometry.units import Units
from benchmarks.quality.merged import GROUPS
from benchmarks.quality.real_sets import DRY, SETS, WATER, RealSet

LAYERS = ("confidence", *MEASURES)
# -1: high where the map is unsure.
SIGNS = {"confidence": 1, "margin": 1, "surroundings": 1, "entropy": -1, "disagreement": -1}
FEWEST = 50  # right and wrong pixels of a chip, for an AUC of its own


def mapped(image: Path, model: str | None, context: MapContext) -> dict[str, NDArray[np.float32]]:
    """Map a chip; return the merged classes ("map") and the layers, each [rows, columns]."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = {name: Path(scratch) / f"{name}.tif" for name in ("map", *LAYERS)}
        request = Request(str(image), paths["map"], model, units=Units.DB, accept_values=True)
        landcover(request, paths["confidence"], None, context, {name: paths[name] for name in MEASURES})
        found = {}
        for name, path in paths.items():
            with rasterio.open(path) as file:
                found[name] = file.read(1)
        return {**found, "map": GROUPS[found["map"]]}


def judged(item: RealSet, real: Path, model: str | None) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float32]]]:
    """Yield for each chip whether its labelled pixels are right, [n], and the layers there, signed, [layers, n]."""
    context = MapContext()
    for image in item.images(real):
        found, target = mapped(image, model, context), item.target(image)
        classes = found["map"]
        binary = np.where((target == DRY) & (classes >= 0) & (classes != WATER), DRY, classes)
        seen = (target >= 0) & (classes >= 0)
        if seen.any():
            yield (binary == target)[seen], np.stack([SIGNS[name] * found[name][seen] for name in LAYERS])


def auc(right: NDArray[np.bool_], values: NDArray[np.float32], fewest: int = 1) -> float | None:
    """Return the AUC; None where there are too few right or wrong pixels."""
    if min(right.sum(), (~right).sum()) < fewest:
        return None
    return float(roc_auc_score(right, values))


def scored(item: RealSet, real: Path, model: str | None) -> dict[str, dict[str, float | None]]:
    """Return the AUC of each layer by the kind of comparison."""
    chips = list(judged(item, real, model))
    right, values = np.concatenate([c[0] for c in chips]), np.concatenate([c[1] for c in chips], axis=1)
    known = np.isfinite(values[-1])
    first = range(len(LAYERS) - 1)
    places = [[auc(r, v[k], FEWEST) for k in first] for r, v in chips]
    kept = [row for row in places if row[0] is not None]
    return {
        "all pixels": {LAYERS[k]: auc(right, values[k]) for k in first},
        "mean of places": {LAYERS[k]: float(np.mean([row[k] for row in kept])) if kept else None for k in first},
        "overlap": {name: auc(right[known], values[k][known], FEWEST) for k, name in enumerate(LAYERS)},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    table = {name: scored(SETS[name], given.real, given.model) for name in given.sets if SETS[name].images(given.real)}
    for name, rows in table.items():
        for kind, row in rows.items():
            cells = "  ".join(f"{layer} {'-' if v is None else f'{v:.3f}'}" for layer, v in row.items())
            print(f"{name:11} {kind:15} {cells}")
    if given.json:
        given.json.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
