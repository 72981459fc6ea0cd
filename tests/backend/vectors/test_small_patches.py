"""Test that small patches join the neighbour with the longest border, and never one without data."""

import numpy as np
import pytest
from scipy.ndimage import label

from backend.raster import blocks
from tests.backend.vectors.reading import edges, read_package


def burnt(features, shape):
    """Draw the polygons into a raster again."""
    from rasterio.features import rasterize

    from tests.backend.conftest import UTM10

    drawn = [
        ({"type": "Polygon", "coordinates": [ring.tolist() for ring in rings]}, row["class"]) for row, rings in features
    ]
    return rasterize(drawn, out_shape=shape, transform=UTM10, dtype="uint8")


def sizes(values):
    """Pixels of each 4-connected patch, and whether it has a neighbour with data."""
    found = []
    for value in np.unique(values[values > 0]):
        groups, count = label(values == value)
        for number in range(1, count + 1):
            mask = groups == number
            grown = np.zeros_like(mask)
            grown[1:] |= mask[:-1]
            grown[:-1] |= mask[1:]
            grown[:, 1:] |= mask[:, :-1]
            grown[:, :-1] |= mask[:, 1:]
            found.append((int(mask.sum()), bool((values[grown & ~mask] > 0).any())))
    return found


def test_the_longest_border_wins_over_the_larger_neighbour(make, convert):
    values = np.full((9, 12), 40)
    values[:, 7:] = 10
    values[3:6, 6] = 80  # 3 pixels beside 10, and 3 + 2 beside 40
    values[8, 11] = 0
    result, output = convert(make(values), min_area=500)
    expected = np.where(values == 80, 40, values)
    assert (burnt(read_package(output), values.shape) == expected).all()
    assert result["joined"] == 1 and result["polygons"] == 2
    values[:, 6], values[3:6, 5] = 10, 80
    values[2, 5] = values[6, 5] = 10  # beside 40: 3; beside 10: 3 + 2
    _, output = convert(make(values), min_area=500)
    assert (burnt(read_package(output), values.shape)[3:6, 5] == 10).all()


def test_islands_in_no_data_stay(make, convert):
    values = np.zeros((8, 8))
    values[1, 1], values[4:, :] = 10, 80
    result, output = convert(make(values), min_area=1000)
    assert (burnt(read_package(output), values.shape) == values).all() and result["small"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_no_small_patch_with_a_neighbour_is_left(make, patchy, convert, monkeypatch, seed):
    values = patchy(48, 40, seed)
    result, output = convert(make(values), min_area=1150)
    drawn = burnt(read_package(output), values.shape)
    assert ((drawn == 0) == (values == 0)).all(), "no data stays, and nothing else becomes so"
    assert all(count >= 12 or not near for count, near in sizes(drawn))
    assert len(sizes(drawn)) == result["polygons"], "patches of one class that touch are one polygon"
    assert result["joined"] == len(sizes(values)) - result["polygons"] > 20
    large = np.zeros(values.shape, bool)
    for value in (10, 40, 80):
        groups, _ = label(values == value)
        large |= (np.bincount(groups.ravel()) >= 12)[groups] & (groups > 0)
    assert (drawn[large] == values[large]).all(), "patches that are large enough keep their class"
    monkeypatch.setattr(blocks, "STRIP_PIXELS", 90)
    _, again = convert(make(values), "again.gpkg", min_area=1150)
    assert {edges(r) for _, r in read_package(again)} == {edges(r) for _, r in read_package(output)}
