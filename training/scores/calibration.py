"""Compare confidence with accuracy, in bins to which chips are added."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import max_error, mean_absolute_error

from backend.core.arrays import DoubleArray

BINS = 15  # those of Guo et al.


class Calibration:
    """Count pixels, confidence and hits in bins of equal width (Guo et al. 2017, arXiv 1706.04599, section 2).

    Only sums per bin are kept, in float64, so that memory does not grow with the data. torchmetrics, with which the
    tests compare, keeps every pixel and sums in float32, where a bin stops counting at 17 million pixels.
    """

    def __init__(self) -> None:
        self.pixels: DoubleArray = np.zeros(BINS)
        self.confidence: DoubleArray = np.zeros(BINS)
        self.correct: DoubleArray = np.zeros(BINS)

    def add(self, truth: NDArray[Any], predicted: NDArray[Any], confidence: NDArray[np.floating[Any]]) -> None:
        """Count pixels.

        Args:
            truth: Class indices [...]; negative if unlabelled.
            predicted: Class indices [...] by the decision rule of the map; negative if nothing was predicted.
            confidence: Probability of the predicted class, float [...]; nan if nothing was predicted.
        """
        keep = (truth >= 0) & (predicted >= 0) & np.isfinite(confidence)
        # Blended float32 probabilities may exceed 1 by a rounding error.
        confidence = np.minimum(confidence[keep].astype(np.float64), 1.0)
        correct = (predicted[keep] == truth[keep]).astype(np.float64)
        for sums, weight in ((self.pixels, None), (self.confidence, confidence), (self.correct, correct)):
            sums += np.histogram(confidence, BINS, (0.0, 1.0), weights=weight)[0]

    def include(self, other: Calibration) -> None:
        self.pixels += other.pixels
        self.confidence += other.confidence
        self.correct += other.correct

    def scores(self) -> dict[str, Any]:
        """Return expected and maximum calibration error, and the bins of a reliability diagram.

        The expected error is the mean difference of accuracy and mean confidence over bins, weighted by pixels
        (equation 3); the maximum error is the largest difference (equation 5). Empty bins are left out.
        """
        filled = self.pixels > 0
        if not filled.any():
            return {"pixels": 0}
        pixels = self.pixels[filled]
        accuracy, confidence = self.correct[filled] / pixels, self.confidence[filled] / pixels
        edges = np.arange(BINS)[filled] / BINS
        return {
            "pixels": int(pixels.sum()),
            "expected_error": float(mean_absolute_error(accuracy, confidence, sample_weight=pixels)),
            "maximum_error": float(max_error(accuracy, confidence)),
            "bins": [
                {"from": float(low), "width": 1 / BINS, "pixels": int(n), "confidence": float(c), "accuracy": float(a)}
                for low, n, c, a in zip(edges, pixels, confidence, accuracy)
            ],
        }
