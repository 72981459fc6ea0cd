"""Measure how well the value of a single attention head separates patches of a class from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from backend.core.arrays import BoolArray, FloatArray
from training.study.ledger import Cell
from training.study.networks import PRETRAINED, RANDOM
from training.study.patches import BACKSCATTER, PatchSets, attention_all

THRESHOLDS = 100
SOURCES = (BACKSCATTER, attention_all(PRETRAINED), attention_all(RANDOM))


def head_cells(sets: Callable[[], PatchSets], names: list[str]) -> list[Cell]:
    """Return a cell for each source of single values; keys are heads/source."""

    def cell(source: str) -> Cell:
        return Cell(f"heads/{source}", 0.3, lambda: run_heads(sets(), source, names))

    return [cell(source) for source in SOURCES]


def run_heads(sets: PatchSets, source: str, names: list[str]) -> dict[str, Any]:
    """Score every value of a source against every class.

    Direction (above or below) and threshold are chosen on training regions; both scores are of the test regions. An
    area under the curve below 0.5 means that the direction did not generalise.

    Returns:
        "auc" and "iou": a row for each class by name, a column for each value (block by block for attention); and
        "all": the IoU if every patch is assigned to the class. Classes missing in either part are left out.
    """
    known, train = _labelled(sets.train.features[source], sets.train.label)
    asked, test = _labelled(sets.test.features[source], sets.test.label)
    found: dict[str, Any] = {"auc": {}, "iou": {}, "all": {}}
    for index, name in enumerate(names):
        mine, wanted = train == index, test == index
        if not (mine.any() and wanted.any()) or mine.all() or wanted.all():
            continue
        aucs, ious = zip(*(_one(known[:, i], mine, asked[:, i], wanted) for i in range(known.shape[1])))
        found["auc"][name], found["iou"][name] = list(aucs), list(ious)
        found["all"][name] = float(wanted.mean())
    return found


def _labelled(features: FloatArray, label: NDArray[np.int16]) -> tuple[FloatArray, NDArray[np.int16]]:
    return features[label >= 0], label[label >= 0]


def _one(known: FloatArray, mine: BoolArray, asked: FloatArray, wanted: BoolArray) -> tuple[float, float]:
    sign = 1 if roc_auc_score(mine, known) >= 0.5 else -1
    threshold = best_threshold(sign * known, mine)
    predicted = sign * asked > threshold
    together = int((predicted | wanted).sum())
    return float(roc_auc_score(wanted, sign * asked)), float((predicted & wanted).sum() / max(together, 1))


def best_threshold(values: FloatArray, mine: BoolArray) -> float:
    """Return the one of THRESHOLDS quantiles above which values have the highest IoU with a class.

    Args:
        values: [N].
        mine: bool [N], patches of the class.
    """
    levels = np.quantile(values, np.arange(THRESHOLDS) / THRESHOLDS)
    order = np.sort(values)
    hits = np.sort(values[mine])
    above = len(order) - np.searchsorted(order, levels, side="right")
    right = len(hits) - np.searchsorted(hits, levels, side="right")
    iou = right / np.maximum(above + len(hits) - right, 1)
    return float(levels[int(iou.argmax())])
