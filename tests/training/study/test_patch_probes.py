"""Test the probes of patches on descriptions with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.run.config import resolve
from training.study.clusters import run_clusters
from training.study.heads import best_threshold, run_heads
from training.study.networks import PRETRAINED, RANDOM
from training.study.patches import (
    BACKSCATTER,
    Patches,
    PatchSets,
    attention_all,
    attention_last,
    tokens_of,
)
from training.study.position import run_position
from training.study.probes import DESCRIPTIONS, PROBES, REDUCED_LAST, describe, run_probe
from training.study.settings import StudyConfig

NAMES = ["land", "water"]
CONFIG = resolve(StudyConfig, {"patch": {"train_patches": 300, "test_patches": 400, "trees": 10}, "jobs": 1})


def patches(seed: int, count: int = 1024) -> Patches:
    """Make patches whose tokens determine the label, pre-trained attention half, and nothing else at all."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count).astype(np.int16)
    label[::50] = -1

    def noise(width: int) -> np.ndarray:
        return rng.normal(0, 1, (count, width)).astype(np.float32)

    tokens = noise(12)
    tokens[:, 3:9] += 8 * label[:, None]
    half = noise(4)
    half[:, 2] -= 1.5 * label
    corners = np.array([[1.0, 2.0], [0.5, -1.0]])
    side = 8
    steps = (np.arange(side) + 0.5) / side * 2 - 1
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)
    place = np.tile(grid, (count // len(grid), 1))
    known = {
        BACKSCATTER: noise(4), attention_last(PRETRAINED): half[:, 2:], attention_all(PRETRAINED): half,
        tokens_of(PRETRAINED): tokens, attention_last(RANDOM): noise(2), attention_all(RANDOM): noise(4),
        tokens_of(RANDOM): noise(12), "placed": np.concatenate((place @ corners, noise(3)), axis=1),
    }  # fmt: skip
    return Patches({name: np.asarray(v, dtype=np.float32) for name, v in known.items()}, label, place, side)


@pytest.fixture(scope="module")
def sets() -> PatchSets:
    return PatchSets(patches(1), patches(2))


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_scores_what_a_description_holds(sets: PatchSets, probe: str) -> None:
    found = {name: run_probe(sets, name, probe, 0, NAMES, CONFIG) for name in DESCRIPTIONS}
    assert found[tokens_of(PRETRAINED)]["mean_iou"] > 0.9
    assert 0.5 < found[attention_last(PRETRAINED)]["balanced_accuracy"] < 0.95
    assert abs(found[tokens_of(RANDOM)]["balanced_accuracy"] - 0.5) < 0.12
    assert found[REDUCED_LAST]["dimensions"] == found[attention_last(PRETRAINED)]["dimensions"] == 2
    assert set(found[BACKSCATTER]["classes"]) == set(NAMES)


def test_components_are_fitted_on_training_patches_alone(sets: PatchSets) -> None:
    train, test = np.arange(100), np.arange(50)
    known, asked = describe(sets, REDUCED_LAST, train, test)
    assert np.allclose(known.mean(axis=0), 0, atol=1e-5) and not np.allclose(asked.mean(axis=0), 0, atol=1e-3)


def test_direction_and_threshold_come_from_training_regions(sets: PatchSets) -> None:
    found = run_heads(sets, attention_all(PRETRAINED), NAMES)
    assert (
        found["auc"]["water"][2] == pytest.approx(found["auc"]["land"][2], abs=1e-9) and found["auc"]["water"][2] > 0.8
    )
    assert max(abs(found["auc"]["water"][i] - 0.5) for i in (0, 1, 3)) < 0.1
    turned = Patches({**sets.test.features}, 1 - np.abs(sets.test.label), sets.test.place, sets.test.side)
    turned.label[sets.test.label < 0] = -1
    against = run_heads(PatchSets(sets.train, turned), attention_all(PRETRAINED), NAMES)
    assert against["auc"]["water"][2] < 0.2, "chosen on the test regions it would be above one half"
    assert found["all"]["water"] == pytest.approx((sets.test.label == 1).sum() / (sets.test.label >= 0).sum())


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60))
def test_the_threshold_is_the_best_of_the_quantiles(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    values_ = rng.normal(0, 1, count).round(1).astype(np.float32)
    mine = rng.random(count) < 0.4
    mine[0] = True

    def iou(threshold: float) -> float:
        above = values_ > threshold
        return float((above & mine).sum() / max((above | mine).sum(), 1))

    levels = np.quantile(values_, np.arange(100) / 100)
    assert iou(best_threshold(values_, mine)) == pytest.approx(max(iou(float(level)) for level in levels))


def test_position_is_read_where_it_is_and_not_where_it_is_not(sets: PatchSets) -> None:
    assert run_position(sets, "placed", CONFIG)["r2"] > 0.99
    nothing = run_position(sets, tokens_of(RANDOM), CONFIG)
    assert nothing["r2"] < 0.05 and nothing["error"] == pytest.approx(2, abs=0.3)  # a quarter of the side


def test_clusters_agree_with_labels_that_lie_apart(sets: PatchSets) -> None:
    assert run_clusters(sets, tokens_of(PRETRAINED), 2, 0, CONFIG)["ari"] > 0.5
    assert abs(run_clusters(sets, tokens_of(RANDOM), 2, 0, CONFIG)["ami"]) < 0.05
