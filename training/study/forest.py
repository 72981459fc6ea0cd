"""What backscatter alone gives: a random forest on pixels and their surroundings."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

from backend.core.arrays import FloatArray
from training.landcover.chips import LabelledChip
from training.study.settings import ForestConfig

WINDOWS = (3, 7, 15)
# From a chip to features [H * W, F] of its pixels.
Describe = Callable[[LabelledChip], NDArray[np.float32]]


def features(db: NDArray[Any]) -> FloatArray:
    """Features of the pixels of a chip: each band, the difference of the first two, windowed means and deviations.

    Args:
        db: [B, H, W] in dB, nan where missing; that is filled with the band's median, a band without any value with 0.

    Returns:
        float32 [H * W, F]; 15 features for two bands.
    """
    whole = np.asarray(db, dtype=np.float32)
    seen = [np.isfinite(band) for band in whole]
    filled = [np.where(good, band, np.median(band[good]) if good.any() else 0) for band, good in zip(whole, seen)]
    out = [*filled[:2], *([filled[0] - filled[1]] if len(filled) > 1 else []), *filled[2:]]
    for band in filled:
        for window in WINDOWS:
            mean = ndimage.uniform_filter(band, window)
            square = ndimage.uniform_filter(band * band, window)
            out += [mean, np.sqrt(np.maximum(square - mean * mean, 0))]
    described: FloatArray = np.stack(out, -1).reshape(-1, len(out)).astype(np.float32)
    return described


def training_pixels(
    chips: Sequence[LabelledChip], describe: Describe, count: int, rng: np.random.Generator
) -> tuple[FloatArray, NDArray[np.int16]]:
    """Features and class indices of at most `count` labelled pixels of each chip, in their natural shares.

    Args:
        chips: Where they are drawn.
        describe: From a chip to the features of its pixels.
        count: Pixels of a chip.
        rng: Of the draws.
    """
    xs, ys = [], []
    for chip in chips:
        y = chip.target.ravel()
        chosen = rng.permutation(np.flatnonzero(y >= 0))[:count]
        if len(chosen):
            xs.append(describe(chip)[chosen])
            ys.append(y[chosen])
    return np.concatenate(xs), np.concatenate(ys)


def fit_forest(
    x: FloatArray, y: NDArray[np.int16], config: ForestConfig, seed: int, jobs: int
) -> RandomForestClassifier:
    """A forest that sees five features at a split and half of the pixels in a tree."""
    # A leaf can't hold more than there is: with a handful of pixels the forest would be a constant.
    leaf = max(1, min(config.leaf, len(y) // 20))
    forest = RandomForestClassifier(
        config.trees, min_samples_leaf=leaf, max_features=min(5, x.shape[1]), max_samples=0.5,
        n_jobs=jobs, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        # More than half of the classes of a few pixels may be single pixels: that is what few labels are.
        warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
        return forest.fit(x, y)
