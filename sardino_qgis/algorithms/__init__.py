"""List the algorithms of the provider. Each declares parameters, runs the backend, and reports."""

from __future__ import annotations

from .accuracy import AccuracyAlgorithm
from .answers.change import ChangeAlgorithm
from .answers.nextsamples import NextSamplesAlgorithm
from .answers.polygons import PolygonsAlgorithm
from .answers.samplingdesign import SamplingDesignAlgorithm
from .answers.sarchange import SarChangeAlgorithm
from .answers.zones import ZonesAlgorithm
from .attention import AttentionAlgorithm
from .calibrate import CalibrateAlgorithm
from .composite import CompositeAlgorithm
from .embeddings import EmbeddingsAlgorithm
from .flatten import FlattenAlgorithm
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
    PolygonsAlgorithm,
    ZonesAlgorithm,
    CalibrateAlgorithm,
    CompositeAlgorithm,
    SamplingDesignAlgorithm,
    NextSamplesAlgorithm,
    FlattenAlgorithm,
    ChangeAlgorithm,
    SarChangeAlgorithm,
)
