"""Scores of a classified map from its confusion matrix; rows are the map, columns the reference."""

from __future__ import annotations

from typing import Any

import numpy as np

from backend.core.arrays import IntArray


def scores(counts: IntArray) -> dict[str, Any]:
    """Overall accuracy, means, and accuracies of each class; None where a class allows none.

    User's accuracy is also called precision, producer's accuracy recall. Means are over the classes that the reference
    holds; a class that is only on the map lowers the others' scores through what it takes from them.

    Args:
        counts: Pixels or sampling units, [map class, reference class], at least one of them.
    """
    total, hits = int(counts.sum()), np.diag(counts).astype(np.float64)
    mapped, reference = counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        tables = {
            "users_accuracy": hits / mapped,
            "producers_accuracy": hits / reference,
            "f1": 2 * hits / (mapped + reference),
            "iou": hits / (mapped + reference - hits),
        }
    there = reference > 0
    return {
        "total": total,
        "overall_accuracy": float(hits.sum() / total),
        "mean_iou": float(tables["iou"][there].mean()),
        "mean_f1": float(tables["f1"][there].mean()),
        "classes": [
            {
                "map": int(mapped[i]),
                "reference": int(reference[i]),
                **{name: none_if_nan(values[i]) for name, values in tables.items()},
            }
            for i in range(len(counts))
        ],
    }


def none_if_nan(value: float) -> float | None:
    """A number that JSON can hold."""
    return None if np.isnan(value) else float(value)
