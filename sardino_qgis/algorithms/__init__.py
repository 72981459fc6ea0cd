"""The algorithms of the provider: each declares parameters, calls the runner, reports."""

from __future__ import annotations

from .accuracy import AccuracyAlgorithm
from .attention import AttentionAlgorithm
from .landcover import LandCoverAlgorithm

ALGORITHMS = (LandCoverAlgorithm, AttentionAlgorithm, AccuracyAlgorithm)
