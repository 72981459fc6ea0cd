"""Measure how well a token predicts its position in the tile.

Gallego-Mejia et al. (arXiv 2310.03513) found strong positional information in DINO on SAR. Here a linear map, fitted to
tokens of training tiles, predicts row and column in test tiles.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.study.ledger import Cell
from training.study.networks import PRETRAINED, RANDOM
from training.study.patches import BACKSCATTER, PatchSets, attention_all, tokens_of
from training.study.settings import StudyConfig


def sources(depth: int) -> tuple[str, ...]:
    """Return the sources that position is predicted from."""
    kinds = (PRETRAINED, RANDOM)
    blocks = tuple(tokens_of(kind, block) for kind in kinds for block in range(depth))
    return (BACKSCATTER, *(attention_all(kind) for kind in kinds), *blocks)


def position_cells(sets: Callable[[], PatchSets], depth: int, config: StudyConfig) -> list[Cell]:
    """Return the cells; keys are position/source."""

    def cell(source: str) -> Cell:
        return Cell(f"position/{source}", 0.05, lambda: run_position(sets(), source, config))

    return [cell(source) for source in sources(depth)]


def run_position(sets: PatchSets, source: str, config: StudyConfig) -> dict[str, float]:
    """Predict row and column by ridge regression.

    Returns:
        "r2" over test tiles (0: no better than the middle of the tile; below 0: it does not generalise) and
        "error", the mean distance along an axis in patches.
    """
    rng = np.random.default_rng(4)
    train, test = (
        rng.permutation(len(patches.place))[:count]
        for patches, count in ((sets.train, config.patch.train_patches), (sets.test, config.patch.test_patches))
    )
    ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 7)))
    ridge.fit(sets.train.features[source][train], sets.train.place[train])
    found, truth = ridge.predict(sets.test.features[source][test]), sets.test.place[test]
    error = mean_absolute_error(truth, found) * sets.test.side / 2
    return {"r2": float(r2_score(truth, found)), "error": float(error)}
