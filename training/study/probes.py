"""Compare attention with tokens: the same probes on the same patches, from different descriptions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backend.accuracy.scores import Confusion
from backend.core.arrays import FloatArray, IndexArray
from training.study.ledger import Cell
from training.study.networks import PRETRAINED, RANDOM
from training.study.patches import BACKSCATTER, Patches, PatchSets, attention_all, attention_last, tokens_of
from training.study.settings import PatchConfig, StudyConfig

PROBES = ("logistic regression", "random forest", "nearest neighbours")
REDUCED_LAST = f"{PRETRAINED}: tokens, as many components as heads of a block"
REDUCED_ALL = f"{PRETRAINED}: tokens, as many components as heads of all blocks"
JOINED = f"{PRETRAINED}: attention of all blocks and tokens"
WITH_BACKSCATTER = f"{PRETRAINED}: tokens and backscatter"
# Descriptions of a patch, in the order of the report.
DESCRIPTIONS = (
    BACKSCATTER,
    attention_last(PRETRAINED), attention_all(PRETRAINED),
    REDUCED_LAST, REDUCED_ALL, tokens_of(PRETRAINED), JOINED, WITH_BACKSCATTER,
    attention_last(RANDOM), attention_all(RANDOM), tokens_of(RANDOM),
)  # fmt: skip


def probe_cells(sets: Callable[[], PatchSets], names: list[str], config: StudyConfig) -> list[Cell]:
    """Return every probe of every description; keys are probes/description/probe/seed."""

    def cell(description: str, probe: str, seed: int) -> Cell:
        key = f"probes/{description}/{probe}/{seed}"
        return Cell(key, 0.1, lambda: run_probe(sets(), description, probe, seed, names, config))

    return [
        cell(description, probe, seed)
        for description in DESCRIPTIONS
        for probe in PROBES
        for seed in config.patch.seeds
    ]


def run_probe(
    sets: PatchSets, description: str, probe: str, seed: int, names: list[str], config: StudyConfig
) -> dict[str, Any]:
    """Fit on patches of training regions, score on patches of test regions.

    Args:
        sets: The patches.
        description: One of DESCRIPTIONS.
        probe: One of PROBES.
        seed: Seed of the training patches and of the probe.
        names: Names of the classes.
        config: Sizes.

    Returns:
        "mean_iou", "balanced_accuracy" (mean recall of the classes), "classes" (F1 of each) and "dimensions".
    """
    train, test = chosen(sets.train, config.patch.train_patches, seed), chosen(sets.test, config.patch.test_patches, 0)
    known, asked = describe(sets, description, train, test)
    model = build_probe(probe, config.patch, seed, config.jobs)
    with warnings.catch_warnings():
        # A hundred more steps of the solver don't change the third digit.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        model.fit(known, sets.train.label[train])
    confusion = Confusion(names)
    confusion.add(sets.test.label[test], model.predict(asked))
    scores = confusion.scores()
    return {
        "mean_iou": scores["mean_iou"],
        "balanced_accuracy": confusion.balanced_accuracy(),
        "classes": {name: item["f1"] for name, item in scores["classes"].items()},
        "dimensions": int(known.shape[1]),
    }


def chosen(patches: Patches, count: int, seed: int) -> IndexArray:
    """Choose at most `count` labelled patches at random, without balancing classes."""
    labelled = np.flatnonzero(patches.label >= 0)
    result: IndexArray = np.random.default_rng((seed, 3)).permutation(labelled)[:count]
    return result


def describe(sets: PatchSets, description: str, train: IndexArray, test: IndexArray) -> tuple[FloatArray, FloatArray]:
    """Return a description of training and test patches; components are fitted to the training patches."""

    def take(name: str) -> tuple[FloatArray, FloatArray]:
        return sets.train.features[name][train], sets.test.features[name][test]

    if description in sets.train.features:
        return take(description)
    if description in (JOINED, WITH_BACKSCATTER):
        other = attention_all(PRETRAINED) if description == JOINED else BACKSCATTER
        parts = zip(take(other), take(tokens_of(PRETRAINED)))
        first, second = (np.concatenate(pair, axis=1) for pair in parts)
        return first, second
    attention = attention_last(PRETRAINED) if description == REDUCED_LAST else attention_all(PRETRAINED)
    known, asked = take(tokens_of(PRETRAINED))
    count = min(sets.train.features[attention].shape[1], *known.shape)
    components = PCA(count, random_state=0).fit(known)
    return components.transform(known), components.transform(asked)


def build_probe(name: str, config: PatchConfig, seed: int, jobs: int) -> ClassifierMixin:
    """Build a classifier of scikit-learn, which standardises its input if the scale matters."""
    if name == PROBES[0]:
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, random_state=seed))
    if name == PROBES[1]:
        return RandomForestClassifier(config.trees, min_samples_leaf=3, n_jobs=jobs, random_state=seed)
    return make_pipeline(StandardScaler(), KNeighborsClassifier(config.neighbours, n_jobs=jobs))
