"""Accuracy on samples that were held out, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.card import LandCoverClass
from training.own.blocks import Folds
from training.own.classifier import Ensemble
from training.scores.metrics import Confusion

Fit = Callable[[Tensor], Ensemble]


def held_out_scores(
    x: Tensor, classes: NDArray[np.int64], folds: Folds, legend: Sequence[LandCoverClass], fit: Fit
) -> dict[str, Any]:
    """Fit without each fold in turn and score on it.

    A class that a fold's training lacks (it lies only in blocks held out together) counts as missed there.

    Args:
        x: Scaled features [n, F].
        classes: Class index of each, [n].
        folds: Which is held out when.
        legend: Classes by index.
        fit: From indices into `x`, int64 [m], to an ensemble fitted to them.

    Returns:
        As of `Confusion.scores`, with classes by value and name, and how it was done.
    """
    confusion = Confusion([f"{item.value} {item.name}" for item in legend])
    for number in range(folds.count):
        held = folds.fold == number
        ensemble = fit(torch.from_numpy(np.flatnonzero(~held)))
        guess = ensemble.probabilities(x[torch.from_numpy(held)]).argmax(dim=1).numpy()
        confusion.add(classes[held], guess)
    return {
        "method": f"{folds.count}-fold over spatial blocks, without the smoothing of maps",
        "blocks": folds.blocks,
        "block_pixels": folds.side,
        **_rounded(confusion.scores()),
        "confusion": confusion.table()["counts"],
    }


def _rounded(scores: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _rounded(value) if isinstance(value, dict) else round(value, 4) if isinstance(value, float) else value
        for key, value in scores.items()
    }
