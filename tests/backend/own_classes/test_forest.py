"""Test the forest, and the head that holds it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.ensemble import ExtraTreesClassifier

from backend.card.arch import MAX_SHARES
from backend.card.model_card import MAX_CLASSES, LandCoverClass, ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.cancel import Cancel
from backend.core.errors import Cancelled
from backend.maps.pca import Components
from backend.network.focal import window_features
from backend.network.vit import build_model
from backend.own_classes.forest import (
    DEPTH,
    LEAVES,
    PORTION,
    PORTIONS,
    TREES,
    TrainingData,
    grow,
    head_tensors,
    leaves_for,
)

LEGEND = tuple(LandCoverClass(value, f"class {value}", "#102030") for value in range(1, 6))


@pytest.fixture
def data():
    torch.manual_seed(0)
    x = torch.randn(60, 8 + 27).numpy()
    classes = (x[:, 3] > 0) + 2 * (x[:, 20] > 0)  # of five; the last never occurs
    return TrainingData(x, classes, np.ones(60), 5, 8)


def test_trees_equal_those_of_scikit_learn(data):
    trees = grow(data)
    assert trees.share.shape == (TREES, trees.child.shape[1], 5) and 1 < trees.depth <= DEPTH
    fresh = torch.randn(500, 35).numpy()
    expected = np.zeros((500, 5))
    for number in range(PORTIONS):
        first = (0, 8)[number % 2]
        forest = ExtraTreesClassifier(PORTION, max_depth=DEPTH, max_leaf_nodes=LEAVES, random_state=number)
        forest.fit(data.x[:, first:], data.classes, data.weights)
        expected[:, :4] += forest.predict_proba(fresh[:, first:]) / PORTIONS
    np.testing.assert_allclose(trees.probabilities(fresh.T), expected, atol=1e-5)
    np.testing.assert_array_equal(grow(data).share, trees.share)


def test_trees_stay_within_the_limits_of_a_card():
    assert leaves_for(3) == LEAVES and 2 * TREES * leaves_for(MAX_CLASSES) * MAX_CLASSES <= MAX_SHARES
    rng = np.random.default_rng(0)
    noise = TrainingData(
        torch.randn(3000, 14).numpy(), rng.integers(0, MAX_CLASSES, 3000), np.ones(3000), MAX_CLASSES, 4
    )
    trees = grow(noise)
    assert trees.share.size <= MAX_SHARES and trees.depth <= DEPTH


def test_equal_samples_make_trees_of_one_leaf():
    trees = grow(TrainingData(np.zeros((4, 9), np.float32), np.array([0, 0, 1, 1]), np.array([3.0, 3, 1, 1]), 2, 4))
    np.testing.assert_allclose(trees.probabilities(torch.randn(9, 3).numpy()), [[0.75, 0.25]] * 3, atol=1e-6)


def test_cancel_stops_growing(data):
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        grow(data, cancel.check)


def test_a_head_answers_as_its_forest(own_model_card, data):
    torch.manual_seed(0)
    model = build_model(own_model_card).eval()
    head = model.head
    x = torch.randn(1, 2, 64, 64)
    tokens, rng = head.tokens.in_channels, np.random.default_rng(0)
    axes, mean, scale = rng.normal(size=(8, tokens)), rng.normal(size=tokens), rng.uniform(0.5, 2, tokens)
    components = Components(mean, scale, axes, np.ones(8), np.ones(8))
    trees = grow(data)
    tensors = {name[5:]: torch.from_numpy(value) for name, value in head_tensors(trees, components).items()}
    head.load_state_dict(tensors, strict=True)
    with torch.inference_mode():
        grid = model.features(x)
        found = head(x, grid).exp()[0, :, 20, 44]
        wide = torch.nn.functional.interpolate(torch.cat(grid, dim=1), (64, 64), mode="bilinear")[0, :, 20, 44]
        here = window_features(x, head.windows)[0, :, 20, 44]
        expected = trees.probabilities(
            torch.cat(
                (((wide - torch.tensor(mean)) / torch.tensor(scale)).float() @ torch.tensor(axes).float().T, here)
            )[:, None].numpy()
        )[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5, rtol=1e-3)


@pytest.fixture
def own_model_card(data):
    card, trees = ModelCard.load(model_folder(None) / CARD), grow(data)
    sizes = {"trees": TREES, "tree_nodes": trees.child.shape[1], "tree_depth": trees.depth}
    arch = dataclasses.replace(card.arch, head="forest", head_dim=8, windows=(3, 5, 7, 9), **sizes)
    return dataclasses.replace(card, arch=arch, classes=LEGEND)
