"""Samples as a user draws them: points or polygons with a class, from a GeoJSON file, in a raster's coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from rasterio.crs import CRS

from backend.core.errors import InputError
from backend.raster.geojson import field_values, read_features

Label = Union[int, str]


@dataclass(frozen=True)
class Sample:
    """One feature: a GeoJSON geometry in the raster's coordinates, and its class."""

    geometry: Mapping[str, Any]
    label: Label


@dataclass(frozen=True)
class Samples:
    """What a file holds.

    Attributes:
        items: In the order of the file.
        skipped: Features without geometry or class.
    """

    items: tuple[Sample, ...]
    skipped: int


def read_samples(path: Path, field: str, crs: CRS | None) -> Samples:
    """Read a GeoJSON FeatureCollection.

    Args:
        path: File.
        field: Property that names the class.
        crs: Of the raster; coordinates are taken as they are where it has none.

    Raises:
        InputError: As `read_features` and `field_values` do, or no feature has a class.
    """
    features, shapeless = read_features(path, crs)
    labels = [clean_label(value) for value in field_values(features, field)]
    items = [Sample(feature.geometry, label) for feature, label in zip(features, labels) if label is not None]
    if not items:
        raise InputError(f"{path} holds no sample with a class in {field!r}.", "Check layer and field.")
    return Samples(tuple(items), shapeless + len(features) - len(items))


def clean_label(value: object) -> Label | None:
    """A class as a property holds it, a whole number or a text without control characters; None where there is none."""
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    whole = text[:-2] if text.endswith(".0") else text
    if whole.lstrip("-").isdecimal() and whole.isascii() and len(whole) < 10:
        return int(whole)
    return text or None
