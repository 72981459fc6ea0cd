import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from backend.maps.pca import SPAN, Scatter


def vectors(count, features=12, seed=0):
    """Vectors of very different spread along hidden directions, far from the origin."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(features, features)))
    spread = np.array([9.0, 5.0, 3.0] + [0.3] * (features - 3))
    return (turn @ (rng.normal(size=(features, count)) * spread[:, None]) + 100).astype(np.float32)


@given(cuts=st.lists(st.integers(0, 400), max_size=8), seed=st.integers(0, 3))
def test_strips_give_the_components_of_the_whole(cuts, seed):
    whole = vectors(400, seed=seed)
    scatter = Scatter(12)
    edges = [0, *sorted(cuts), 400]
    for start, end in zip(edges, edges[1:]):
        scatter.add(whole[:, start:end])
    found = scatter.components(3)
    expected = np.linalg.svd(whole.T.astype(np.float64) - whole.mean(axis=1, dtype=np.float64), full_matrices=False)
    np.testing.assert_allclose(found.mean, whole.mean(axis=1, dtype=np.float64), rtol=1e-9)
    np.testing.assert_allclose(found.deviations, expected.S[:3] / np.sqrt(400), rtol=1e-6)
    np.testing.assert_allclose(np.abs((found.axes * expected.Vh[:3]).sum(axis=1)), 1, atol=1e-6)
    assert (found.axes[np.arange(3), np.abs(found.axes).argmax(axis=1)] > 0).all()
    np.testing.assert_allclose(found.shares, expected.S[:3] ** 2 / (expected.S**2).sum(), rtol=1e-6)


def test_colours_span_the_deviations_and_are_never_nodata():
    scatter = Scatter(12)
    scatter.add(vectors(1000))
    components = scatter.components(3)
    along = np.array([-9, -SPAN, 0, SPAN, 9]) * components.deviations[1]
    tokens = (components.mean[:, None] + np.outer(components.axes[1], along)).astype(np.float32)
    colours = components.colours(tokens[:, None, :])
    assert colours.dtype == np.uint8 and colours.shape == (3, 1, 5)
    np.testing.assert_array_equal(colours[1, 0], [1, 1, 128, 255, 255])
    np.testing.assert_array_equal(colours[[0, 2]], 128)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_scenes_without_variance_are_grey(count):
    scatter = Scatter(12)
    scatter.add(np.full((12, count), 3, np.float32))
    components = scatter.components(3)
    np.testing.assert_array_equal(components.shares, 0)
    np.testing.assert_array_equal(components.colours(np.full((12, 1, 2), components.mean[0], np.float32)), 128)


def test_standardised_components_are_those_of_scaled_features():
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(400, 12)) @ rng.normal(size=(12, 12)) + 5).astype(np.float32)
    scatter = Scatter(12)
    for part in np.split(rows, (150, 151, 300)):
        scatter.add(part.T)
    weight, bias = scatter.components(4, standardised=True).linear()
    expected = PCA(4).fit_transform((rows - rows.mean(axis=0)) / rows.std(axis=0))
    np.testing.assert_allclose(np.abs(rows @ weight.T + bias), np.abs(expected), atol=1e-3)
