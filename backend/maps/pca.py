"""Principal components of a scene's tokens, from running sums: each strip of the scene is seen once and forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import DoubleArray, FloatArray

# Deviations on either side of the mean that the colours span; what lies beyond is cut off.
SPAN = 2.0


@dataclass(frozen=True)
class Components:
    """The directions of most variance.

    Attributes:
        mean: float64 [features].
        axes: float64 [components, features], of length 1; the largest entry of each is positive.
        deviations: float64 [components], standard deviation along each, largest first.
        shares: float64 [components], of the whole variance; 0 where there is none.
    """

    mean: DoubleArray
    axes: DoubleArray
    deviations: DoubleArray
    shares: DoubleArray

    def colours(self, tokens: FloatArray) -> NDArray[np.uint8]:
        """Return tokens [features, rows, columns] as uint8 [components, rows, columns]: 1 to 255 over SPAN deviations.

        In float64, whose last bits, which depend on the processor (see `best_cosine` of similarity), change no colour.
        """
        scores = self.axes @ (tokens.reshape(tokens.shape[0], -1) - self.mean[:, None])
        reach = SPAN * np.where(self.deviations > 0, self.deviations, 1.0)
        scaled = 128 + scores * (127 / reach[:, None])
        whole: NDArray[np.uint8] = np.clip(np.rint(scaled), 1, 255).astype(np.uint8)
        return whole.reshape(-1, *tokens.shape[1:])


class Scatter:
    """Running count, mean and scatter matrix of vectors, in float64.

    Strips are merged by the pairwise update of Chan, Golub and LeVeque (Updating formulae and a pairwise algorithm for
    computing sample variances, 1979), which doesn't lose digits as sums of squares do.

    Args:
        features: Length of a vector.
    """

    def __init__(self, features: int) -> None:
        self.count = 0
        self._mean = np.zeros(features)
        self._sum = np.zeros((features, features))

    def add(self, vectors: FloatArray) -> None:
        """Take vectors [features, n] into account."""
        n = vectors.shape[1]
        if n == 0:
            return
        x = vectors.astype(np.float64)
        mean = x.mean(axis=1)
        x -= mean[:, None]
        step = mean - self._mean
        total = self.count + n
        self._sum += x @ x.T + np.outer(step, step) * (self.count * n / total)
        self._mean += step * (n / total)
        self.count = total

    def components(self, number: int) -> Components:
        """The first principal components of what was added (Pearson 1901), by eigenvectors of the covariance."""
        variances, vectors = np.linalg.eigh(self._sum / max(self.count, 1))
        order = np.argsort(variances)[::-1][:number]
        axes = vectors[:, order].T
        # An eigenvector may point either way; equal scenes shall have equal colours.
        signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
        kept, whole = np.maximum(variances[order], 0), float(np.maximum(variances, 0).sum())
        shares = kept / whole if whole > 0 else np.zeros_like(kept)
        return Components(self._mean.copy(), axes * signs[:, None], np.sqrt(kept), shares)
