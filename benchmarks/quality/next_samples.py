"""Measure whether samples at the places of `backend nextsamples` teach more than samples at random places.

    python -m benchmarks.quality.next_samples CHIPS [--start 20] [--more 20] [--seeds 0 1 2] [--shares 0.25]
        [--model NAME|DIR] [--json PATH]

Places, halves and scores are those of `benchmarks.quality.own_classes`. At random places of the training half, --start
points are labelled, and own classes learnt from them; their margin says where the map is least certain. Then --more
points are added and own classes learnt again:

- "random": at random places;
- "margin": where the margin is least, without a distance between points;
- "spread": far from each other and from the others, whatever the margin;
- "next 0.25": as `nextsamples` chooses, among that share of the half where the margin is least.

Scores are mIoU over the place's classes on the other half. About 2 minutes on a core for three chips of 224 x 224
pixels and three seeds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.card.model_card import LandCoverClass
from backend.core.arrays import IntArray
from backend.design.least_certain import Candidates, farthest
from backend.maps.uncertainty import margin
from backend.own_classes.forest import TrainingData, grow
from benchmarks.quality.own_classes import Site, halves, load_site, score, smoothed
from benchmarks.quality.own_network import own_network
from training.data.dataset import ChipFolder


def learnt(site: Site, x: NDArray[np.float32], index: IntArray) -> tuple[IntArray, NDArray[np.float32]]:
    """Map every pixel after learning from some, by their index; return the map and its margin, [H, W] each."""
    values, classes = np.unique(site.labels.ravel()[index], return_inverse=True)
    trees = grow(
        TrainingData(x[index], classes, np.ones(len(index)), len(values), len(site.table.components.deviations))
    )
    shares = smoothed(trees.probabilities(x.T).reshape(*site.labels.shape, len(values)))
    legend = [LandCoverClass(int(value), str(value), "#000000") for value in values]
    return values[shares.argmax(axis=-1)], margin(shares.transpose(2, 0, 1), legend)


def chosen(lead: NDArray[np.float32], allowed: NDArray[np.bool_], first: IntArray, more: int, share: float) -> IntArray:
    """Return the pixels that `nextsamples` chooses, as indices."""
    height, width = lead.shape
    candidates = Candidates(height, width)
    candidates.add(0, np.where(allowed, lead, np.float32(np.nan)))
    rows, columns, values = candidates.least(share)
    existing = np.stack(np.divmod(first, width), axis=1).astype(np.float64)
    best = farthest(np.stack((rows, columns), axis=1).astype(np.float64), values, more, existing)
    found: IntArray = rows[best] * width + columns[best]
    return found


def compared(site: Site, number: int, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    """Score all ways to choose more points, after one draw of the first ones."""
    rng = np.random.default_rng([seed, number])
    train = halves(site.labels.shape, rng)
    allowed = train & np.isin(site.labels, site.classes)
    x = site.table.features(np.arange(site.labels.size))
    pool = rng.permutation(np.flatnonzero(allowed))
    first = pool[: given.start]
    guess, lead = learnt(site, x, first)
    least = np.argsort(np.where(allowed, lead, np.inf), axis=None, kind="stable")
    ways = {
        "random": pool[given.start : given.start + given.more],
        "margin": least[~np.isin(least, first)][: given.more],
        "spread": chosen(lead, allowed, first, given.more, 1),
        **{f"next {share:g}": chosen(lead, allowed, first, given.more, share) for share in given.shares},
    }
    row: dict[str, Any] = {"site": site.name, "seed": seed, "start": score(site, guess, ~train, False)}
    for name, more in ways.items():
        row[name] = score(site, learnt(site, x, np.concatenate((first, more)))[0], ~train, False)
    return row


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--start", type=int, default=20)
    parser.add_argument("--more", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.25])
    parser.add_argument("--model")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model, card, _ = own_network(given.model)
    folder, rows = ChipFolder(given.folder, card.bands), []
    for number in range(len(folder)):
        site = load_site(folder[number], model, card)
        for seed in given.seeds:
            rows.append(compared(site, number, seed, given))
            print(
                "  ".join(f"{k} {v:.3f}" if isinstance(v, float) else str(v) for k, v in rows[-1].items()), flush=True
            )
    for name in list(rows[0])[2:]:
        wins = sum(row[name] > row["random"] for row in rows)
        print(f"{name:12} {np.mean([row[name] for row in rows]):.3f}  above random in {wins} of {len(rows)}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
