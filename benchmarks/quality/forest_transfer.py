"""How well do simulated scenes teach real ones? A random forest trained on simulated pixels, tested on real places.

Command::

    python -m benchmarks.quality.forest_transfer SIMULATED_FOLDER REAL_FOLDER [--scenes 300] [--jobs 2]

Both folders hold ``images/`` (VV, VH in dB) and ``labels/`` (WorldCover codes). Features of a pixel are VV, VH,
VV - VH and the windowed mean and deviation of VV and VH at 3, 7 and 15 px. Classes are merged to tree, open (shrub,
grass, crop, bare, snow, wetland, moss), built and water. mIoU is over the merged classes present in the labels of a
place; classes that only the prediction has are left out of the mean. Takes under a minute on two cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, jaccard_score

from backend.card.worldcover import MERGED
from training.study.forest import features

NAMES = ("tree", "open", "built", "water")
# Merged class index by WorldCover value, -1 where there is none.
GROUPS = np.full(256, -1, dtype=np.int16)
for _value, _name in MERGED.items():
    GROUPS[_value] = NAMES.index(_name)


def load(image: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features and merged classes (-1 where unlabelled or without data) of one chip and its label raster."""
    with rasterio.open(image) as source:
        db = source.read([1, 2]).astype(np.float32)
    with rasterio.open(image.parents[1] / "labels" / image.name) as source:
        codes = source.read(1)
    return features(db), np.where(np.isfinite(db).all(0), GROUPS[codes], -1).ravel()


def training_pixels(folder: Path, scenes: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:  # type: ignore[type-arg]
    """At most 500 pixels, in their natural shares, from each of ``scenes`` chips."""
    images = sorted((folder / "images").glob("*.tif"))
    xs, ys = [], []
    for index in rng.permutation(len(images))[:scenes]:
        x, y = load(images[index])
        pixels = rng.permutation(np.flatnonzero(y >= 0))[:500]
        xs.append(x[pixels])
        ys.append(y[pixels])
    return np.concatenate(xs), np.concatenate(ys)


def train_forest(
    folders: list[Path], scenes: int = 300, jobs: int = 2
) -> tuple[RandomForestClassifier, NDArray[np.int64]]:
    """A forest trained on pixels of `scenes` chips of each simulated folder, and the classes of those pixels."""
    parts = [training_pixels(folder, scenes, np.random.default_rng(0)) for folder in folders]
    x, y = (np.concatenate(arrays) for arrays in zip(*parts))
    forest = RandomForestClassifier(
        80, min_samples_leaf=20, max_features=5, max_samples=0.5, n_jobs=jobs, random_state=0
    )
    return forest.fit(x, y), y


def main() -> None:
    """Train, test on every real chip and print one line a place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulated", type=Path)
    parser.add_argument("real", type=Path)
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    forest, y = train_forest([given.simulated], given.scenes, given.jobs)
    print(f"trained on {len(y)} simulated pixels; mIoU over the classes present in a place's labels")
    for image in sorted((given.real / "images").glob("*.tif")):
        x, y = load(image)
        x, y = x[y >= 0], y[y >= 0]
        guess = forest.predict(x)
        present = np.unique(y)
        ious = jaccard_score(y, guess, labels=present, average=None)
        each = " ".join(f"{NAMES[c]} {iou:.2f}" for c, iou in zip(present, ious))
        share = " ".join(f"{NAMES[c]} {np.mean(guess == c):.2f}" for c in range(len(NAMES)))
        overall = f"OA {accuracy_score(y, guess):.2f} mIoU {ious.mean():.2f}"
        print(f"{image.stem}: {overall} | IoU {each} | predicted {share}")


if __name__ == "__main__":
    main()
