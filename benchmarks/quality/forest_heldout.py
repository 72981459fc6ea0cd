"""Score a random forest on backscatter on held-out simulated scenes, all classes, to compare with fine-tuning.

    python -m benchmarks.quality.forest_heldout SIMULATED [SIMULATED ...] [--scenes 120]

It learns from pixels of the split "train" of the folders, and is tested on the split "val", on which fine-tuning checks
its networks. Features are those of training/study/forest.py. A network far below the forest has not learnt enough; one
near it has reached the limit that the overlap of the simulated classes sets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.accuracy.scores import Confusion, class_indices
from backend.stream.decision import decision, group_indices
from training.data.dataset import ChipFolder
from training.run.common_config import ModelConfig
from training.study.forest import features, fit_forest
from training.study.settings import ForestConfig


def pixels(
    folder: ChipFolder, values: list[int], scenes: int, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Return features and class indices of at most `count` labelled pixels from each of `scenes` chips."""
    xs, ys = [], []
    for index in rng.permutation(len(folder))[:scenes]:
        chip = folder[int(index)]
        if chip.label is None or not chip.valid.any():
            continue
        y = np.where(chip.valid, class_indices(chip.label, values), -1).ravel()
        chosen = rng.permutation(np.flatnonzero(y >= 0))[:count]
        xs.append(features(np.where(chip.valid, chip.db, np.nan))[chosen])
        ys.append(y[chosen])
    return np.concatenate(xs), np.concatenate(ys)


def main() -> None:
    """Print overall accuracy, mean IoU and the IoU of each class."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("simulated", type=Path, nargs="+")
    parser.add_argument("--scenes", type=int, default=120, help="chips of each folder to learn from")
    given = parser.parse_args()
    rng, bands = np.random.default_rng(0), ModelConfig().bands
    legend = ChipFolder(given.simulated[0], bands).facts.classes
    values = [item.value for item in legend]

    def draw(split: str, scenes: int) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
        parts = [pixels(ChipFolder(root, bands, split), values, scenes, 500, rng) for root in given.simulated]
        xs, ys = zip(*parts)
        return np.concatenate(xs), np.concatenate(ys)

    x, y = draw("train", given.scenes)
    forest = fit_forest(x, y, ForestConfig(), seed=0, jobs=2)
    x, y = draw("val", 10**6)
    confusion = Confusion([item.name for item in legend])
    shares = np.zeros((len(legend), len(y)), dtype=np.float32)
    shares[forest.classes_] = forest.predict_proba(x).T
    confusion.add(y, decision(legend)(shares))
    scores = confusion.scores()
    groups = confusion.merged([str(number) for number in group_indices(legend)]).scores()["mean_iou"]
    print(f"OA {scores['overall_accuracy']:.3f}  mIoU {scores['mean_iou']:.3f}  mIoU of groups {groups:.3f}")
    for name, item in scores["classes"].items():
        print(f"  {name}: IoU {item['iou']:.2f}  pixels {item['pixels']}")


if __name__ == "__main__":
    main()
