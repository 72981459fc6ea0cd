"""Fixtures: two class maps with names, and SAR dates with physical speckle."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from backend.card.model_card import LandCoverClass
from backend.card.worldcover import MERGED_COLOURS, MERGED_NAMES, NAMES
from backend.output.styles import aux_xml, legend_tags

MERGED = [LandCoverClass(value, name, MERGED_COLOURS[value]) for value, name in MERGED_NAMES.items()]
WORLDCOVER = [LandCoverClass(value, name, "#123456") for value, name in NAMES.items()]
TREE, OPEN, BUILT, WATER = 10, 30, 50, 80


def maps(rows: int = 60, columns: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Return two dates: 200 pixels of trees felled, 100 of open land flooded."""
    before = np.full((rows, columns), TREE, np.uint8)
    before[:, columns // 2 :] = OPEN
    before[:3] = WATER
    after = before.copy()
    after[10:20, :20] = OPEN
    after[40:50, -10:] = WATER
    return before, after


@pytest.fixture
def class_map(make_raster):
    """Write a raster of classes with names; returns its path."""

    def write(values, name, classes=MERGED, **profile):
        tags = profile.pop("tags", True)
        path = make_raster(np.asarray(values)[None], name, descriptions=(), **{"nodata": 0, **profile})
        if classes and tags:
            path.with_name(path.name + ".aux.xml").write_text(aux_xml(classes, legend_tags(classes)))
        return path

    return write


@pytest.fixture
def points(tmp_path):
    """Write points at pixels (row, column) with properties; returns the path of the GeoJSON."""

    def write(places, properties, name="samples.geojson"):
        items = [
            {
                "type": "Feature",
                "properties": each,
                "geometry": {"type": "Point", "coordinates": [500_005 + 10 * c, 4_599_995 - 10 * r]},
            }
            for (r, c), each in zip(places, properties)
        ]
        crs = {"type": "name", "properties": {"name": "EPSG:32630"}}
        path = tmp_path / name
        path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": items}))
        return path

    return write


def speckle(seed: int, shape: tuple[int, int], looks: int = 4, sigma: float = 0.8) -> np.ndarray:
    """Return unit-mean speckle: sums of squared moduli of circular Gaussian fields with the resolution of a sensor."""
    rng = np.random.default_rng(seed)
    power = np.zeros(shape)
    for _ in range(looks):
        power += (
            gaussian_filter(rng.normal(size=shape), sigma) ** 2 + gaussian_filter(rng.normal(size=shape), sigma) ** 2
        )
    return (power / power.mean()).astype(np.float32)


@pytest.fixture(scope="session")
def dates():
    """Two dates of textured ground without change, linear power float32 [2 dates, VV and VH, 320, 320]."""
    shape = (320, 320)
    rng = np.random.default_rng(5)
    ground = np.where(np.arange(320)[None, :] < 160, 0.08, 0.2) * np.exp(
        0.2 * gaussian_filter(rng.normal(size=shape), 8) * 8
    )
    ground[rng.random(shape) < 0.002] *= 30  # houses
    levels = np.stack((ground, ground / 5))
    return np.stack([[levels[band] * speckle(10 * date + band, shape) for band in (0, 1)] for date in (0, 1)]).astype(
        np.float32
    )
