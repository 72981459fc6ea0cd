"""Read samples, points or polygons with a class, from GeoJSON into a raster's coordinates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from rasterio.crs import CRS

from backend.accuracy.class_values import field_values
from backend.core.errors import InputError
from backend.raster.geojson import read_features

Label = Union[int, str]
FEWEST = 2  # samples of two classes may be one each
_WHOLE = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True)
class Sample:
    """Hold a GeoJSON geometry in the raster's coordinates, and its class."""

    geometry: Mapping[str, Any]
    label: Label


@dataclass(frozen=True)
class Samples:
    """Hold samples of a file.

    Attributes:
        items: Samples in the order of the file.
        skipped: Number of features without geometry or class.
    """

    items: tuple[Sample, ...]
    skipped: int


@dataclass(frozen=True)
class SampleSource:
    """Describe where samples come from.

    Attributes:
        samples: GeoJSON of points or polygons.
        field: Property that holds the class.
        legend: JSON with names and colours of classes, or None.
        title: Title of the model; empty for the name of its folder.
        also: Further scenes that samples lie in, besides the one of the request.
    """

    samples: Path
    field: str
    legend: Path | None = None
    title: str = ""
    also: Sequence[str] = ()


def read_samples(path: Path, field: str, crs: CRS | None, elsewhere: bool = False) -> Samples:
    """Read a GeoJSON FeatureCollection.

    Args:
        path: GeoJSON file.
        field: Property that holds the class.
        crs: CRS of the raster; None to use coordinates without conversion.
        elsewhere: Whether samples may have no place in that CRS, as those of another scene may.

    Raises:
        InputError: As `read_features` and `field_values`, or no feature has a class.
    """
    features, shapeless = read_features(path, crs, elsewhere)
    labels = [clean_label(value) for value in field_values(features, field)]
    items = [Sample(feature.geometry, label) for feature, label in zip(features, labels) if label is not None]
    if not items:
        raise InputError(f"{path} has no sample with a class in the field {field!r}.", "Check layer and field.")
    return Samples(tuple(items), shapeless + len(features) - len(items))


def check_classes(samples: Samples, field: str) -> None:
    """Refuse a field that numbers the samples, such as fid: each would be a class of its own.

    Raises:
        InputError: There are more than two samples, and no two of them have the same class.
    """
    labels = {item.label for item in samples.items}
    if len(labels) == len(samples.items) > FEWEST:
        raise InputError(
            f"Each of the {len(labels)} samples is a class of its own in the field {field!r}.",
            "Choose the field that holds the class, not one that numbers the samples; several samples of each class "
            "are needed.",
        )


def clean_label(value: object) -> Label | None:
    """Normalise a class to a whole number or a text without control characters; None if the value is no class."""
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    whole = text[:-2] if text.endswith(".0") else text
    if _WHOLE.fullmatch(whole):
        return int(whole)
    return text or None
