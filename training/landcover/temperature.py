"""Fit the temperature by which logits are divided, so that confidence is the share of pixels that are right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from backend.core.arrays import FloatArray
from backend.core.errors import InputError
from training.scores.calibration import Calibration

# Widest temperatures that are tried.
LOWEST, HIGHEST = 0.1, 10.0


class Answers(NamedTuple):
    """Hold a model's answers for labelled pixels: logits float32 [n, K], and class indices int64 [n]."""

    logits: FloatArray
    targets: NDArray[np.int64]


@dataclass(frozen=True)
class Fit:
    """Hold a temperature, and the expected calibration error before and after it, mean of the parts."""

    temperature: float
    error_before: float
    error_after: float

    def __str__(self) -> str:
        change = f"{self.error_before:.3f} before, {self.error_after:.3f} after"
        return f"temperature {self.temperature:.3f}; expected calibration error on these data {change}"


def fit_temperature(parts: Sequence[Answers]) -> Fit:
    """Find the temperature under which the labels are likeliest, with the same weight for each of the parts.

    Args:
        parts: Answers, such as those of one data folder each.

    Raises:
        InputError: The labelled pixels have one class alone, from which no temperature follows.
    """
    if len(np.unique(np.concatenate([part.targets for part in parts]))) < 2:
        raise InputError("The labelled pixels have fewer than two classes.", "Give data with more classes.")

    def loss(log_temperature: float) -> float:
        return sum(_loss(part.logits / math.exp(log_temperature), part.targets) for part in parts)

    found = minimize_scalar(loss, bounds=(math.log(LOWEST), math.log(HIGHEST)), method="bounded")
    temperature = math.exp(found.x)
    before, after = (np.mean([_error(part, scale) for part in parts]) for scale in (1.0, temperature))
    return Fit(temperature, float(before), float(after))


def _loss(logits: FloatArray, targets: NDArray[np.int64]) -> float:
    right = np.take_along_axis(logits, targets[:, None], axis=1)[:, 0]
    return float((logsumexp(logits, axis=1) - right).mean(dtype=np.float64))


def _error(part: Answers, temperature: float) -> float:
    calibration, shares = Calibration(), softmax(part.logits / temperature, axis=1)
    calibration.add(part.targets, shares.argmax(axis=1), shares.max(axis=1))
    return float(calibration.scores()["expected_error"])
