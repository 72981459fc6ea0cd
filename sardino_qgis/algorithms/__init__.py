"""List the algorithms of the provider. Each declares parameters, runs the backend, and reports."""

from __future__ import annotations

from .accuracy import AccuracyAlgorithm
from .answers.change import ChangeAlgorithm
from .answers.sarchange import SarChangeAlgorithm
from .attention import AttentionAlgorithm
from .calibrate import CalibrateAlgorithm
from .embeddings import EmbeddingsAlgorithm
from .landcover import LandCoverAlgorithm
from .similarity import SimilarityAlgorithm
from .trainclassifier import TrainClassifierAlgorithm

ALGORITHMS = (
    LandCoverAlgorithm,
    AttentionAlgorithm,
    EmbeddingsAlgorithm,
    SimilarityAlgorithm,
    TrainClassifierAlgorithm,
    AccuracyAlgorithm,
    CalibrateAlgorithm,
    ChangeAlgorithm,
    SarChangeAlgorithm,
)
