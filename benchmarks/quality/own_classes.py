"""Compare own classes from few samples (`backend train`) with the random forests that analysts use, on real places.

    python -m benchmarks.quality.own_classes CHIPS [FOLDER ...] --out DIR [--draws 5] [--counts 10 50 200]
        [--split NAME] [--kinds points polygons] [--every N] [--model NAME|DIR|RUN] [--random SEED]

CHIPS is a data folder with images/ and labels/ as for training; --split and --every take some of its chips. A chip is
cut into 4 x 4 blocks. In each draw, half of them, at random, give samples, and the map of the other half is scored.
Samples are points (one pixel) or polygons (the pixels of one class within 5 to 11 pixels around a random one),
in turn from each class with half a percent of the chip. All methods get the same pixels with the same weights:

- "forest": a random forest of 200 trees on VV, VH, VV - VH and focal mean and deviation at 3, 7 and 15 px
  (training/study/forest.py), of unlimited depth and leaves of one sample (larger ones did no better);
- "smoothed": its probabilities, averaged over the same window as those of our maps;
- "tuned": the same with all of our windows and differences (to 25 px), smoothed;
- "no tokens": our forest on the same windows, without tokens;
- "ours": as `backend landcover` maps with it.

Scores are mIoU over a chip's classes, and over merged groups (tree, open, built, water) on chips with WorldCover values
of several groups. Writes own_classes.json and own_classes.png into DIR, and continues an existing own_classes.json.
About 15 minutes on a core for three chips of 224 x 224 pixels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import jaccard_score

from backend.core.arrays import IntArray
from backend.core.cancel import Cancel
from backend.maps.landcover import landcover_overlap
from backend.network.forest_head import ForestHead
from backend.network.vit import SarViT
from backend.own_classes.arch import SMOOTH, own_arch
from backend.own_classes.features import FeatureTable, gather_features
from backend.own_classes.forest import TrainingData, grow, head_tensors
from backend.own_classes.pixels import PER_SAMPLE, SamplePixels
from backend.radiometry.convert import normalise
from backend.stream.tiles import TileJob, run_stream
from backend.stream.tiling import TilePlan, plan_tiles
from benchmarks.quality.merged import GROUPS
from benchmarks.quality.own_classes_tables import picture, table_of
from benchmarks.quality.own_network import own_backbone
from training.data.dataset import Chip, ChipFolder
from training.study.forest import features

KINDS = ("points", "polygons")
BLOCKS, SHARE = 4, 0.005


@dataclass
class ArrayFrame:
    """Give network input from memory."""

    x: NDArray[np.float32]
    valid: NDArray[np.bool_]

    def __post_init__(self) -> None:
        self.height, self.width = self.valid.shape

    def read(self, top: int, bottom: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        return self.x[:, top:bottom], self.valid[top:bottom]


@dataclass
class Site:
    """Hold a chip with all features of all pixels."""

    name: str
    frame: ArrayFrame
    plan: TilePlan
    labels: IntArray
    table: FeatureTable
    forest: NDArray[np.float32]
    classes: list[int]


def load_site(chip: Chip, model: SarViT, card: Any) -> Site:
    """Compute all features of a labelled chip; a band that it lacks is 0 for all methods."""
    x = normalise(chip.db, chip.valid, card.bands)
    labels = np.where(chip.valid, 0 if chip.label is None else chip.label, 0).astype(np.int64)
    height, width = labels.shape
    plan = plan_tiles(height, width, card.tile, landcover_overlap(card.tile, card.patch, card.arch.reach), card.patch)
    rows, columns = (axis.ravel().astype(np.int64) for axis in np.indices(labels.shape))
    frame = ArrayFrame(x, chip.valid)

    def ask(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return torch.cat(model.features(torch.from_numpy(tiles)), dim=1).numpy()

    table = gather_features(ask, frame, plan, SamplePixels(rows, columns, rows * 0), 4, lambda done: None)
    values, counts = np.unique(labels[labels > 0], return_counts=True)
    kept = [int(v) for v, n in zip(values, counts) if n >= SHARE * counts.sum()]
    return Site(chip.path.stem, frame, plan, labels, table, features(chip.db), kept)


def halves(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return the half of the blocks from which a draw takes its samples, bool [H, W]."""
    rows, columns = (np.minimum(np.arange(n) * BLOCKS // n, BLOCKS - 1) for n in shape)
    taken = rng.permutation(BLOCKS * BLOCKS)[: BLOCKS * BLOCKS // 2]
    return np.isin(rows[:, None] * BLOCKS + columns, taken)


def draw(site: Site, train: NDArray[np.bool_], count: int, kind: str, rng: np.random.Generator) -> SamplePixels:
    """Draw samples from the training half, in turn from each of its classes."""
    labels, parts = site.labels, []
    pools = [rng.permutation(np.flatnonzero((labels == value) & train)) for value in site.classes]
    pools = [pools[i] for i in rng.permutation(len(pools)) if len(pools[i]) >= 20]
    for number in range(count if pools else 0):
        pool = pools[number % len(pools)]
        row, column = divmod(int(pool[number // len(pools) % len(pool)]), labels.shape[1])
        half = 0 if kind == "points" else int(rng.integers(2, 6))
        top, left = max(0, row - half), max(0, column - half)
        window = np.s_[top : row + half + 1, left : column + half + 1]
        parted, _ = ndimage.label((labels[window] == labels[row, column]) & train[window])
        rows, columns = np.nonzero(parted == parted[row - top, column - left])
        chosen = rng.permutation(len(rows))[:PER_SAMPLE]
        parts.append((rows[chosen] + top, columns[chosen] + left, np.full(len(chosen), number)))
    none = (np.zeros(0),) * 3
    return SamplePixels(*(np.concatenate(part).astype(np.int64) for part in zip(none, *parts)))


def maps_of(site: Site, places: SamplePixels, model: SarViT, card: Any) -> dict[str, IntArray]:
    """Map every pixel by each method."""
    index = places.rows * site.frame.width + places.columns
    truth = site.labels.ravel()[index]
    values, classes = np.unique(truth, return_inverse=True)
    weights = 1 / np.bincount(places.sample)[places.sample]
    weights /= weights.mean()
    shape = (*site.labels.shape, len(values))

    def usual(x: NDArray[np.float32]) -> NDArray[np.float32]:
        forest = RandomForestClassifier(200, random_state=0).fit(x[index], classes, weights)
        return forest.predict_proba(x).reshape(shape).astype(np.float32)

    plain = usual(site.forest)
    found = {"forest": plain, "smoothed": smoothed(plain), "tuned": smoothed(usual(site.table.pixels))}
    blind = grow(TrainingData(site.table.pixels[index], classes, weights, len(values), 0))
    shares = blind.probabilities(site.table.pixels.T).reshape(shape)
    found["no tokens"] = smoothed(shares)
    components = site.table.components
    trees = grow(TrainingData(site.table.features(index), classes, weights, len(values), len(components.deviations)))
    head = ForestHead(own_arch(card.arch, trees), len(card.bands), len(values))
    tensors = head_tensors(trees, components)
    head.load_state_dict({name.removeprefix("head."): torch.from_numpy(each) for name, each in tensors.items()})
    model.head = head
    found["ours"] = mapped(site, model, len(values))
    return {name: values[chances.argmax(axis=-1)] for name, chances in found.items()}


def smoothed(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average probabilities [H, W, K] as in our maps."""
    return ndimage.uniform_filter(shares, (SMOOTH, SMOOTH, 1))


def mapped(site: Site, model: SarViT, classes: int) -> NDArray[np.float32]:
    """Return probabilities [H, W, K] as `landcover` streams them."""
    rows: list[NDArray[np.float32]] = []

    answer = torch.inference_mode()(lambda tiles: model(torch.from_numpy(tiles)).softmax(dim=1).numpy())
    job = TileJob(site.plan, classes, batch=4)
    run_stream(site.frame, job, answer, lambda part, _: rows.append(part.copy()), Cancel())
    return np.concatenate(rows, axis=1).transpose(1, 2, 0)


def score(site: Site, guess: IntArray, test: NDArray[np.bool_], merged: bool) -> float | None:
    """Return the mean IoU over the classes or merged groups of the test half; None if the groups say nothing."""
    keep = test & np.isin(site.labels, site.classes)
    truth, guess = site.labels[keep], guess[keep]
    if merged:
        if not all(value < 256 and GROUPS[value] >= 0 for value in site.classes):
            return None
        truth, guess = GROUPS[truth], GROUPS[guess]
        if len(np.unique(GROUPS[site.classes])) < 2:
            return None
    return float(jaccard_score(truth, guess, labels=np.unique(truth), average="macro", zero_division=0))


@dataclass(frozen=True)
class Draw:
    """Hold one draw: kind and number of its samples, and its own number."""

    kind: str
    count: int
    draw: int


def scored(site: Site, case: Draw, number: int, model: SarViT, card: Any) -> list[dict[str, Any]]:
    """Score one draw at a site, which `number` seeds; return nothing if all samples are of one class."""
    rng = np.random.default_rng([case.draw, case.count, number])
    train = halves(site.labels.shape, rng)
    places = draw(site, train, case.count, case.kind, rng)
    if len(np.unique(site.labels[places.rows, places.columns])) < 2:
        return []
    scores = {
        name: {"all": score(site, guess, ~train, False), "merged": score(site, guess, ~train, True)}
        for name, guess in maps_of(site, places, model, card).items()
    }
    return [{"site": site.name, **asdict(case), **scores}]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, fit, map and score; print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--model", help="a model, or the folder of a pre-training run")
    parser.add_argument("--random", type=int, help="seed of random weights in place of its backbone")
    parser.add_argument("--split")
    parser.add_argument("--every", type=int, default=1, help="take every Nth chip")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # on busy cores, two threads wait for each other for most of the time
    model, card = own_backbone(given.model, given.random)
    kept = given.out / "own_classes.json"
    rows = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else []
    done = {(row["site"], Draw(row["kind"], row["count"], row["draw"])) for row in rows}
    cases = [Draw(kind, count, turn) for kind in given.kinds for count in given.counts for turn in range(given.draws)]
    folders = [ChipFolder(folder, card.bands, given.split) for folder in given.folders]
    places = [(folder, index) for folder in folders for index in range(0, len(folder), given.every)]
    for number, (folder, index) in enumerate(places):
        site = load_site(folder[index], model, card)
        for case in cases:
            if (site.name, case) not in done:
                rows += scored(site, case, number, model, card)
                kept.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        print(f"{site.name}: done", flush=True)
    picture(rows, given.out / "own_classes.png")
    print("\n".join(table_of(rows)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
