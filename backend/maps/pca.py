"""Compute principal components of tokens from running sums, reading each part of a scene once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import DoubleArray, FloatArray

# Deviations on either side of the mean that the colours span; what lies beyond is cut off.
SPAN = 2.0
# Least standard deviation that a feature is divided by: one that never changes must not blow up.
STEADY = 1e-3


@dataclass(frozen=True)
class Components:
    """Hold the directions of most variance.

    Attributes:
        mean: float64 [features].
        scale: float64 [features], what each feature is divided by; 1 unless they are standardised.
        axes: float64 [components, features], of length 1; the largest entry of each is positive.
        deviations: float64 [components], standard deviation along each, largest first.
        shares: float64 [components], of the whole variance; 0 where there is none.
    """

    mean: DoubleArray
    scale: DoubleArray
    axes: DoubleArray
    deviations: DoubleArray
    shares: DoubleArray

    def linear(self) -> tuple[FloatArray, FloatArray]:
        """Return the linear map from tokens to components: weight [components, features], bias [components]."""
        weight = self.axes / self.scale
        return weight.astype(np.float32), -(weight @ self.mean).astype(np.float32)

    def colours(self, tokens: FloatArray) -> NDArray[np.uint8]:
        """Return tokens [features, rows, columns] as uint8 [components, rows, columns]: 1 to 255 over SPAN deviations.

        Computed in float64, so that last bits that depend on the processor (see `best_cosine`) change no colour.
        """
        scores = (self.axes / self.scale) @ (tokens.reshape(tokens.shape[0], -1) - self.mean[:, None])
        reach = SPAN * np.where(self.deviations > 0, self.deviations, 1.0)
        scaled = 128 + scores * (127 / reach[:, None])
        whole: NDArray[np.uint8] = np.clip(np.rint(scaled), 1, 255).astype(np.uint8)
        return whole.reshape(-1, *tokens.shape[1:])


class Scatter:
    """Update count, mean and scatter matrix of vectors, in float64.

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
        self._merge(n, mean, x @ x.T)

    def include(self, other: Scatter) -> None:
        """Take into account what another one has seen."""
        if other.count:
            self._merge(other.count, other._mean, other._sum)

    def _merge(self, n: int, mean: DoubleArray, scatter: DoubleArray) -> None:
        step = mean - self._mean
        total = self.count + n
        self._sum += scatter + np.outer(step, step) * (self.count * n / total)
        self._mean += step * (n / total)
        self.count = total

    def components(self, number: int, standardised: bool = False) -> Components:
        """Return the first principal components of what was added (Pearson 1901).

        Args:
            number: Number of components.
            standardised: Whether features are scaled to unit deviation first: eigenvectors of the correlation matrix
                instead of the covariance.
        """
        covariance = self._sum / max(self.count, 1)
        scale = np.maximum(np.sqrt(np.diag(covariance)), STEADY) if standardised else np.ones(len(covariance))
        variances, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
        order = np.argsort(variances)[::-1][:number]
        axes = vectors[:, order].T
        # An eigenvector may point either way; equal scenes shall have equal colours.
        signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
        kept, whole = np.maximum(variances[order], 0), float(np.maximum(variances, 0).sum())
        shares = kept / whole if whole > 0 else np.zeros_like(kept)
        return Components(self._mean.copy(), scale, axes * signs[:, None], np.sqrt(kept), shares)
