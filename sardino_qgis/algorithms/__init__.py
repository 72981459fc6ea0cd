"""The algorithms of the provider: each declares parameters, calls the runner, reports."""

from __future__ import annotations

from .accuracy import AccuracyAlgorithm
from .attention import AttentionAlgorithm
from .calibrate import CalibrateAlgorithm
from .embeddings import EmbeddingsAlgorithm
from .landcover import LandCoverAlgorithm
from .similarity import SimilarityAlgorithm

ALGORITHMS = (
    LandCoverAlgorithm,
    AttentionAlgorithm,
    EmbeddingsAlgorithm,
    SimilarityAlgorithm,
    AccuracyAlgorithm,
    CalibrateAlgorithm,
)
