"""Own classes from few samples: the forest of `training.ownclasses` beside those that analysts know, on real places.

    python -m benchmarks.own_classes CHIPS [FOLDER ...] --out DIR [--draws 5] [--counts 10 50 200] [--model NAME|DIR]

CHIPS holds images/ (VV, VH in dB) and labels/ as pixels. A chip is cut into 4 x 4 blocks; in each draw half of them, at
random, give samples, and the map of the other half is scored. Samples are points (one pixel) or polygons (what a square
of 5 to 11 pixels holds of one class around a random pixel), in turn from each class with half a percent of the chip.
All methods get the same pixels with the same weights:

- "forest": a random forest of 200 trees on VV, VH, VV - VH and windowed mean and deviation at 3, 7 and 15 px
  (training/experiments/forest.py), of unlimited depth and leaves of one sample (larger ones did no better here);
- "smoothed": its probabilities averaged over the same window as those of our maps;
- "tuned": the same with all of our windows and differences (to 25 px), smoothed;
- "no tokens": our forest, given the same windows and no tokens;
- "ours": as `backend landcover` maps with it.

Scores: mIoU over a chip's classes, and over merged groups (tree, open, built, water) on chips with WorldCover values of
several groups. Writes own_classes.json and own_classes.png into DIR, and goes on from an own_classes.json that is
there. About 15 minutes on a core for three chips of 224 x 224 pixels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import matplotlib
import numpy as np
import rasterio
import torch
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import jaccard_score

from backend.cancel import Cancel
from backend.forest_head import ForestHead
from backend.heads import build_head
from backend.library import model_folder
from backend.predict import landcover_overlap
from backend.radiometry import Units, prepare
from backend.stream import run_stream
from backend.tiling import TilePlan, plan_tiles
from backend.vit import SarViT
from backend.weights import load_model
from benchmarks.forest_transfer import GROUPS
from training.experiments.forest import features
from training.own.classifier import Lessons, grow, put_into
from training.own.features import Table, gather
from training.own.learner import SMOOTH, own_arch
from training.own.pixels import PER_SAMPLE, Places

matplotlib.use("Agg")
METHODS = ("forest", "smoothed", "tuned", "no tokens", "ours")
BLOCKS, SHARE = 4, 0.005
IntArray = NDArray[np.int64]


@dataclass
class ArrayFrame:
    """Network input that lies in memory."""

    x: NDArray[np.float32]
    valid: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Size of the array."""
        self.height, self.width = self.valid.shape

    def read(self, top: int, bottom: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Rows."""
        return self.x[:, top:bottom], self.valid[top:bottom]


@dataclass
class Site:
    """A chip with all features of all pixels."""

    name: str
    frame: ArrayFrame
    plan: TilePlan
    labels: IntArray
    table: Table
    forest: NDArray[np.float32]
    classes: list[int]


def load_site(image: Path, model: SarViT, card: Any) -> Site:
    """Read a chip and its labels; flood labels (0 dry, 1 water) become 1 and 2."""
    with rasterio.open(image) as source:
        db = source.read([1, 2]).astype(np.float32)
    with rasterio.open(image.parents[1] / "labels" / image.name) as source:
        labels = source.read(1).astype(np.int64)
    if set(np.unique(labels)) <= {0, 1, 255}:
        labels = np.where(labels == 255, 0, labels + 1)
    x, valid = prepare(db, np.isfinite(db).all(axis=0), card.bands, Units.DB)
    labels = np.where(valid, labels, 0)
    height, width = labels.shape
    plan = plan_tiles(height, width, card.tile, landcover_overlap(card.tile, card.patch, card.arch.reach), card.patch)
    rows, columns = (axis.ravel().astype(np.int64) for axis in np.indices(labels.shape))
    frame = ArrayFrame(x, valid)
    table = gather(model, frame, plan, Places(rows, columns, rows * 0), 4, Cancel(), lambda done: None)
    values, counts = np.unique(labels[labels > 0], return_counts=True)
    kept = [int(v) for v, n in zip(values, counts) if n >= SHARE * counts.sum()]
    return Site(image.stem, frame, plan, labels, table, features(db), kept)


def halves(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Where a draw takes its samples from: half of the blocks."""
    rows, columns = (np.minimum(np.arange(n) * BLOCKS // n, BLOCKS - 1) for n in shape)
    taken = rng.permutation(BLOCKS * BLOCKS)[: BLOCKS * BLOCKS // 2]
    return np.isin(rows[:, None] * BLOCKS + columns, taken)


def draw(site: Site, train: NDArray[np.bool_], count: int, kind: str, rng: np.random.Generator) -> Places:
    """Samples from the training half, in turn from each of its classes."""
    labels, parts = site.labels, []
    pools = [rng.permutation(np.flatnonzero((labels == value) & train)) for value in site.classes]
    pools = [pools[i] for i in rng.permutation(len(pools)) if len(pools[i]) >= 20]
    for number in range(count):
        pool = pools[number % len(pools)]
        row, column = divmod(int(pool[number // len(pools) % len(pool)]), labels.shape[1])
        half = 0 if kind == "points" else int(rng.integers(2, 6))
        top, left = max(0, row - half), max(0, column - half)
        window = np.s_[top : row + half + 1, left : column + half + 1]
        parted, _ = ndimage.label((labels[window] == labels[row, column]) & train[window])
        rows, columns = np.nonzero(parted == parted[row - top, column - left])
        chosen = rng.permutation(len(rows))[:PER_SAMPLE]
        parts.append((rows[chosen] + top, columns[chosen] + left, np.full(len(chosen), number)))
    return Places(*(np.concatenate(part).astype(np.int64) for part in zip(*parts)))


def maps_of(site: Site, places: Places, model: SarViT, card: Any) -> dict[str, IntArray]:
    """Class of every pixel by each method."""
    index = places.rows * site.frame.width + places.columns
    truth = site.labels.ravel()[index]
    values, classes = np.unique(truth, return_inverse=True)
    weights = 1 / np.bincount(places.sample)[places.sample]
    weights /= weights.mean()
    shape = (*site.labels.shape, len(values))

    def usual(x: NDArray[np.float32]) -> NDArray[np.float32]:
        forest = RandomForestClassifier(200, random_state=0).fit(x[index], classes, weights)
        shares: NDArray[np.float32] = forest.predict_proba(x).reshape(shape).astype(np.float32)
        return shares

    plain = usual(site.forest)
    found = {"forest": plain, "smoothed": smoothed(plain), "tuned": smoothed(usual(site.table.pixels.numpy()))}
    rows = torch.from_numpy(index)
    blind = grow(Lessons(site.table.pixels[rows], classes, weights, len(values), 0))
    shares = blind.probabilities(site.table.pixels.T).reshape(shape).numpy()
    found["no tokens"] = smoothed(shares)
    components = site.table.components
    trees = grow(Lessons(site.table.features(rows), classes, weights, len(values), len(components.bias)))
    head = cast(ForestHead, build_head(own_arch(card.arch, len(values)), len(card.bands), card.patch, len(values)))
    put_into(head, trees, components)
    model.head = head
    found["ours"] = mapped(site, model, len(values))
    return {name: values[chances.argmax(axis=-1)] for name, chances in found.items()}


def smoothed(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities [H, W, K], averaged as in our maps."""
    result: NDArray[np.float32] = ndimage.uniform_filter(shares, (SMOOTH, SMOOTH, 1))
    return result


def mapped(site: Site, model: SarViT, classes: int) -> NDArray[np.float32]:
    """Probabilities [H, W, K] as `landcover` streams them."""
    rows: list[NDArray[np.float32]] = []

    def answer(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            result: NDArray[np.float32] = model(torch.from_numpy(tiles)).softmax(dim=1).numpy()
        return result

    run_stream(
        site.frame, site.plan, answer, lambda part, _: rows.append(part.copy()),
        channels=classes, batch=4, cancel=Cancel(), progress=lambda done, total: None,
    )  # fmt: skip
    return np.concatenate(rows, axis=1).transpose(1, 2, 0)


def score(site: Site, guess: IntArray, test: NDArray[np.bool_], merged: bool) -> float | None:
    """Mean IoU over the classes, or merged groups, that the test half holds; None where groups say nothing."""
    keep = test & np.isin(site.labels, site.classes)
    truth, guess = site.labels[keep], guess[keep]
    if merged:
        if not all(value < 256 and GROUPS[value] >= 0 for value in site.classes):
            return None
        truth, guess = GROUPS[truth], GROUPS[guess]
        if len(np.unique(GROUPS[site.classes])) < 2:
            return None
    return float(jaccard_score(truth, guess, labels=np.unique(truth), average="macro", zero_division=0))


def table_of(rows: list[dict[str, Any]]) -> list[str]:
    """Means and wins over the forest, a line for each kind and number of samples."""
    lines = []
    for key, title in (("all", "all classes"), ("merged", "merged groups")):
        lines.append(f"mIoU of {title}: {', '.join(METHODS)}; draws in which ours is above forest and tuned")
        for kind, count in dict.fromkeys((row["kind"], row["count"]) for row in rows):
            here = [r for r in rows if (r["kind"], r["count"]) == (kind, count) and r["ours"][key] is not None]
            if here:
                means = "  ".join(f"{np.mean([r[m][key] for r in here]):.3f}" for m in METHODS)
                wins = [sum(r["ours"][key] > r[other][key] for r in here) for other in ("forest", "tuned")]
                lines.append(f"  {count:>3} {kind:<8} {means}  {wins[0]}, {wins[1]} of {len(here)}")
    lines.append("mIoU of all classes by place: forest / tuned / ours")
    for name in dict.fromkeys(row["site"] for row in rows):
        cells = []
        for kind, count in dict.fromkeys((row["kind"], row["count"]) for row in rows):
            here = [r for r in rows if (r["kind"], r["count"], r["site"]) == (kind, count, name)]
            means = " / ".join(f"{np.mean([r[m]['all'] for r in here]):.2f}" for m in ("forest", "tuned", "ours"))
            cells.append(f"{count} {kind} {means}")
        lines.append(f"  {name}: {', '.join(cells)}")
    return lines


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Mean curve of each method over the number of samples, points beside polygons."""
    from matplotlib import pyplot

    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    figure, axes = pyplot.subplots(1, len(kinds), figsize=(4.5 * len(kinds), 3.6), sharey=True, squeeze=False)
    styles = {"forest": "s--", "smoothed": "^:", "tuned": "D--", "no tokens": "v:", "ours": "o-"}
    for axis, kind in zip(axes[0], kinds):
        counts = sorted({row["count"] for row in rows})
        for method in METHODS:
            means = [
                np.mean([r[method]["all"] for r in rows if r["kind"] == kind and r["count"] == count])
                for count in counts
            ]
            axis.plot(counts, means, styles[method], label=method)
        axis.set(xscale="log", xlabel=f"number of {kind}", xticks=counts)
        axis.set_xticklabels(counts)
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("mean IoU on the other half")
    axes[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, fit, map, score; print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--model")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # where other programs use the cores, two threads wait for each other for ages
    source, card = load_model(model_folder(given.model))
    card = replace(card, arch=own_arch(card.arch, 1))
    model = SarViT(card.arch, len(card.bands), card.tile, card.patch, 2).eval()
    model.backbone.load_state_dict(source.backbone.state_dict())
    images = [image for folder in given.folders for image in sorted((folder / "images").glob("*.tif"))]
    kept = given.out / "own_classes.json"
    rows = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else []
    done = {(row["site"], row["kind"], row["count"], row["draw"]) for row in rows}
    for number, image in enumerate(images):
        site = load_site(image, model, card)
        for kind in ("points", "polygons"):
            for count in given.counts:
                for turn in range(given.draws):
                    if (site.name, kind, count, turn) in done:
                        continue
                    rng = np.random.default_rng([turn, count, number])
                    train = halves(site.labels.shape, rng)
                    found = maps_of(site, draw(site, train, count, kind, rng), model, card)
                    scores = {
                        name: {"all": score(site, guess, ~train, False), "merged": score(site, guess, ~train, True)}
                        for name, guess in found.items()
                    }
                    rows.append({"site": site.name, "kind": kind, "count": count, "draw": turn, **scores})
                kept.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        print(f"{site.name}: done", flush=True)
    picture(rows, given.out / "own_classes.png")
    print("\n".join(table_of(rows)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
