"""The algorithms of the provider: each declares parameters, calls the runner, reports."""

from __future__ import annotations

from .attention import AttentionAlgorithm
from .landcover import LandCoverAlgorithm
from .trainclassifier import TrainClassifierAlgorithm

ALGORITHMS = (LandCoverAlgorithm, AttentionAlgorithm, TrainClassifierAlgorithm)
