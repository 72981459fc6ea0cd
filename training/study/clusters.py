"""Compare k-means clusters of patches with their labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from training.study.ledger import Cell
from training.study.networks import PRETRAINED, RANDOM
from training.study.patches import BACKSCATTER, PatchSets, attention_all, tokens_of
from training.study.probes import chosen
from training.study.settings import StudyConfig

SOURCES = (BACKSCATTER, attention_all(PRETRAINED), tokens_of(PRETRAINED), attention_all(RANDOM), tokens_of(RANDOM))
# Clusters per class, as the network may see a class as several clusters.
TIMES = (1, 3)


def cluster_cells(sets: Callable[[], PatchSets], names: list[str], config: StudyConfig) -> list[Cell]:
    """Return the cells; keys are clusters/source/clusters per class/seed."""

    def cell(source: str, times: int, seed: int) -> Cell:
        key = f"clusters/{source}/{times}/{seed}"
        return Cell(key, 0.05, lambda: run_clusters(sets(), source, times * len(names), seed, config))

    return [cell(source, times, seed) for source in SOURCES for times in TIMES for seed in config.patch.seeds]


def run_clusters(sets: PatchSets, source: str, count: int, seed: int, config: StudyConfig) -> dict[str, float]:
    """Cluster patches of training regions, and compare clusters with labels in test regions.

    Returns:
        "ari" and "ami": adjusted Rand index and adjusted mutual information, 0 for chance, 1 for agreement.
    """
    train, test = chosen(sets.train, config.patch.train_patches, seed), chosen(sets.test, config.patch.test_patches, 0)
    scale = StandardScaler().fit(sets.train.features[source][train])
    known, asked = (scale.transform(s.features[source][i]) for s, i in ((sets.train, train), (sets.test, test)))
    found = KMeans(min(count, len(np.unique(known, axis=0))), n_init=4, random_state=seed).fit(known).predict(asked)
    label = sets.test.label[test]
    return {"ari": float(adjusted_rand_score(label, found)), "ami": float(adjusted_mutual_info_score(label, found))}
