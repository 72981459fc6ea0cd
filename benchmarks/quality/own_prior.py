"""Measure whether the class probabilities of the bundled head help own classes from few samples, on real places.

    python -m benchmarks.quality.own_prior CHIPS [--draws 3] [--counts 10 50] [--model NAME|DIR] [--json PATH]

Places, halves, samples and scores are those of `benchmarks.quality.own_classes`; the model must not have learnt from
the places. The methods differ in the forest's input only, and all maps are averaged over the same window:

- "ours": tokens and focal statistics, as `backend train` learns;
- "features": the same, and the probabilities of the model's own classes at the pixel;
- "prior": ours, times the share of each own class that the model's probabilities let expect. This share is the sum over
  the model's classes of probability times the share of the own class among the samples there (one sample of every class
  added), and has the weight of the forest (the product of both, normalised).

About 4 minutes on a core for three chips of 224 x 224 pixels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.core.arrays import IntArray
from backend.own_classes.forest import TrainingData, grow
from backend.own_classes.pixels import SamplePixels
from benchmarks.quality.own_classes import KINDS, Draw, Site, draw, halves, load_site, mapped, score, smoothed
from benchmarks.quality.own_network import own_network
from training.data.dataset import ChipFolder

METHODS = ("ours", "features", "prior")


def maps_of(site: Site, known: NDArray[np.float32], places: SamplePixels) -> dict[str, IntArray]:
    """Map every pixel by each method; `known` holds the model's own probabilities [H, W, K]."""
    index = places.rows * site.frame.width + places.columns
    values, classes = np.unique(site.labels.ravel()[index], return_inverse=True)
    weights = 1 / np.bincount(places.sample)[places.sample]
    weights /= weights.mean()
    shape = (*site.labels.shape, len(values))
    plain, probabilities = site.table.features(np.arange(site.labels.size)), known.reshape(-1, known.shape[-1])
    components = len(site.table.components.deviations)

    def shares(x: NDArray[np.float32]) -> NDArray[np.float32]:
        trees = grow(TrainingData(x[index], classes, weights, len(values), components))
        found: NDArray[np.float32] = trees.probabilities(x.T).reshape(shape)
        return smoothed(found)

    ours = shares(plain)
    together = np.zeros((probabilities.shape[1], len(values)))
    for own in range(len(values)):
        here = classes == own
        together[:, own] = (probabilities[index][here] * weights[here, None]).sum(axis=0)
    expected = probabilities @ ((together + 1) / (together + 1).sum(axis=1, keepdims=True))
    found = {
        "ours": ours,
        "features": shares(np.concatenate((plain, probabilities), axis=1)),
        "prior": ours * smoothed(expected.reshape(shape).astype(np.float32)),
    }
    return {name: values[each.argmax(axis=-1)] for name, each in found.items()}


def scored(site: Site, known: NDArray[np.float32], case: Draw, number: int) -> list[dict[str, Any]]:
    """Score one draw at a site, which `number` seeds as `own_classes` does; nothing if all samples are of one class."""
    rng = np.random.default_rng([case.draw, case.count, number])
    train = halves(site.labels.shape, rng)
    places = draw(site, train, case.count, case.kind, rng)
    if len(np.unique(site.labels[places.rows, places.columns])) < 2:
        return []
    scores = {name: score(site, guess, ~train, False) for name, guess in maps_of(site, known, places).items()}
    return [{"site": site.name, **asdict(case), **scores}]


def table_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each kind and number of samples: mean IoU of each method, and draws above "ours"."""
    lines = [f"mIoU: {', '.join(METHODS)}; draws in which features, prior are above ours"]
    for kind, count in dict.fromkeys((row["kind"], row["count"]) for row in rows):
        here = [row for row in rows if (row["kind"], row["count"]) == (kind, count)]
        means = "  ".join(f"{np.mean([row[name] for row in here]):.3f}" for name in METHODS)
        wins = ", ".join(str(sum(row[name] > row["ours"] for row in here)) for name in METHODS[1:])
        lines.append(f"  {count:>3} {kind:<8} {means}  {wins} of {len(here)}")
    means = "  ".join(f"{np.mean([row[name] for row in rows]):.3f}" for name in METHODS)
    return [*lines, f"  all          {means}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, fit, map and score; print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--model")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model, card, source = own_network(given.model)
    folder, rows = ChipFolder(given.folder, card.bands), []
    cases = [Draw(kind, count, turn) for kind in KINDS for count in given.counts for turn in range(given.draws)]
    for number in range(len(folder)):
        site = load_site(folder[number], model, card)
        known = mapped(site, source, len(card.classes))
        for case in cases:
            rows += scored(site, known, case, number)
        print(f"{site.name}: done", flush=True)
    print("\n".join(table_of(rows)))
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
