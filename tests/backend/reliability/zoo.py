"""Define specimens: odd or hostile rasters, each with its expected outcome.

The specimens themselves are functions in zoo_*.py, one each, registered by `specimen`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

HEIGHT, WIDTH = 40, 52
PLACE = {"crs": "EPSG:32630", "transform": from_origin(500000, 4_600_000, 10, 10)}


@dataclass(frozen=True)
class Same:
    """The map of the plain scene, on its grid."""


@dataclass(frozen=True)
class Mapped:
    """A map with a class exactly where `valid`, bool [rows, columns], and 0 elsewhere."""

    valid: NDArray[np.bool_]


@dataclass(frozen=True)
class Refused:
    """One line, with `match` (a regular expression) in it."""

    match: str


@dataclass(frozen=True)
class Specimen:
    """A raster and its expected outcome.

    Attributes:
        path: What is given to the program.
        expected: Expected outcome.
        options: More arguments.
    """

    path: str | Path
    expected: Same | Mapped | Refused
    options: Sequence[object] = ()


Maker = Callable[[Path], Specimen]
SPECIMENS: dict[str, Maker] = {}


def specimen(make: Maker) -> Maker:
    """Register a function that makes a specimen in a folder; its name is the specimen's."""
    assert make.__name__ not in SPECIMENS, make.__name__
    SPECIMENS[make.__name__] = make
    return make


def register(name: str, make: Maker) -> None:
    """Register one of a family of functions under a name."""
    assert re.fullmatch("[a-z0-9_]+", name) and name not in SPECIMENS, name
    SPECIMENS[name] = make


def scene(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float32]:
    """Return VV and VH in dB, rounded to 0.01, float32 [2, rows, columns]: fields of two levels, with noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    vv = np.where((x // 12 + y // 12) % 2, -8.0, -18.0) + rng.normal(0, 1.5, (height, width))
    return np.stack((vv, vv - 7 + rng.normal(0, 1, (height, width)))).round(2).astype(np.float32)


def write(path: Path, values: NDArray, descriptions: Sequence[str] = ("VV", "VH"), **profile: object) -> Path:
    """Write [bands, rows, columns] as a GeoTIFF, or as the profile says."""
    count, height, width = values.shape
    settings = {"driver": "GTiff", "dtype": values.dtype.name, **PLACE, **profile}
    with rasterio.open(path, "w", count=count, height=height, width=width, **settings) as file:
        file.write(values)
        for band, text in zip(range(1, count + 1), descriptions):
            file.set_band_description(band, text)
    return path


def plain(folder: Path) -> Path:
    """Write the scene as an ordinary GeoTIFF."""
    return write(folder / "scene.tif", scene())


def as_it_should_be(path: Path, expected: Same | Mapped, plain_map: NDArray) -> None:
    """Fail unless a map is as expected."""
    with rasterio.open(path) as file:
        values = file.read(1)
        transform = file.transform
    assert set(np.unique(values)) <= {0, 10, 40, 80}
    if isinstance(expected, Same):
        np.testing.assert_array_equal(values, plain_map)
        assert transform == PLACE["transform"]
    else:
        np.testing.assert_array_equal(values != 0, expected.valid)
