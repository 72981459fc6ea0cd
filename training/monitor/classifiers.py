"""Score how well features tell classes apart: by a linear probe, and by nearest neighbours.

Nearest neighbours are those of DINO (Caron et al. 2021, section 4.1: k = 20, frozen features, cosine). A linear probe
weighs directions instead: it finds a class in a few directions of many, which neighbours drown in the others, and is
what a fine-tuned head begins with.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backend.accuracy.scores import Confusion
from backend.core.arrays import FloatArray

NEIGHBOURS = 20
# Inverse strength of the penalty on standardised features: the middle of 0.01 to 1, between a penalty that lets few
# directions count, and none, with which a few thousand tokens of 192 numbers are learnt by heart. One value for all, so
# that scores can be compared.
INVERSE_PENALTY = 0.1
ITERATIONS = 300


def linear_probe() -> ClassifierMixin:
    """Build a logistic regression on standardised features, in which each class counts alike."""
    regression = LogisticRegression(C=INVERSE_PENALTY, max_iter=ITERATIONS, tol=1e-3, class_weight="balanced")
    return make_pipeline(StandardScaler(), regression)


def nearest_neighbours(known: int) -> ClassifierMixin:
    """Build a vote of NEIGHBOURS by cosine among `known` examples."""
    return KNeighborsClassifier(min(NEIGHBOURS, known), metric="cosine")


def answers(model: ClassifierMixin, known: FloatArray, classes: NDArray[Any], asked: FloatArray) -> NDArray[Any]:
    """Fit on known features [N, D] and classes [N]; return the classes of those that are asked for."""
    with warnings.catch_warnings():
        # More steps of the solver don't change the third digit.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        found: NDArray[Any] = model.fit(known, classes).predict(asked)
    return found


def accuracies(truth: NDArray[Any], predicted: NDArray[Any]) -> tuple[float, float]:
    """Return accuracy and balanced accuracy, the mean recall of the classes of the truth."""
    names, found = np.unique(np.concatenate((truth, predicted)), return_inverse=True)
    confusion = Confusion([str(name) for name in names])
    confusion.add(found[: len(truth)], found[len(truth) :])
    return float(confusion.scores()["overall_accuracy"]), confusion.balanced_accuracy()


def across_folds(
    build: Callable[[int], ClassifierMixin],
    features: FloatArray,
    classes: NDArray[Any],
    groups: NDArray[Any],
    folds: int,
) -> float:
    """Return the balanced accuracy of answers to each fold, learnt from the others.

    Args:
        build: Makes a classifier for a number of examples.
        features: [N, D].
        classes: [N].
        groups: [N]; a group is never on both sides.
        folds: Number of folds, at most that of groups.
    """
    found = np.empty_like(classes)
    for known, asked in GroupKFold(folds).split(features, classes, groups):
        found[asked] = answers(build(len(known)), features[known], classes[known], features[asked])
    return accuracies(classes, found)[1]
