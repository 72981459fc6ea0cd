"""Fit a random forest to the backscatter of pixels and their surroundings."""

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
# Computes the features [H * W, F] of the pixels of a chip.
Describe = Callable[[LabelledChip], NDArray[np.float32]]


def features(db: NDArray[Any]) -> FloatArray:
    """Compute features of the pixels of a chip: each band, the difference of the first two, focal means and deviations.

    Args:
        db: [B, H, W] in dB, nan where missing; nan is replaced by the median of the band, or by 0 in an empty band.

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
    """Draw features and class indices of at most `count` labelled pixels of each chip, without balancing classes.

    Args:
        chips: Chips to draw from.
        describe: Computes features of the pixels of a chip.
        count: Pixels per chip.
        rng: Random generator.
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
    """Fit a forest with five features per split and half of the pixels per tree."""
    # With few pixels, large leaves would make the forest a constant.
    leaf = max(1, min(config.leaf, len(y) // 20))
    forest = RandomForestClassifier(
        config.trees, min_samples_leaf=leaf, max_features=min(5, x.shape[1]), max_samples=0.5,
        n_jobs=jobs, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        # With few labels, more than half of the classes may have a single pixel.
        warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
        return forest.fit(x, y)
