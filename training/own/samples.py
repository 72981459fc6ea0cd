"""Samples as a user draws them: points or polygons with a class, from a GeoJSON file, in the coordinates of a raster.

RFC 7946 (2016) puts GeoJSON into degrees (WGS 84); the "crs" member of its forerunner of 2008, which GDAL and QGIS
still write, is heeded where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.features import bounds as geometry_bounds
from rasterio.features import is_valid_geom
from rasterio.warp import transform_geom

from backend.errors import InputError

Label = Union[int, str]
KINDS = ("Point", "MultiPoint", "Polygon", "MultiPolygon")
MAX_BYTES = 512 * 2**20
LOOK = "styles"  # foreign member (RFC 7946, section 6.1) with name and colour by class


@dataclass(frozen=True)
class Sample:
    """One feature: a GeoJSON geometry in the raster's coordinates, and its class."""

    geometry: dict[str, Any]
    label: Label


@dataclass(frozen=True)
class Samples:
    """What a file holds.

    Attributes:
        items: In the order of the file.
        styles: Name and "#rrggbb" by the text of a class, as far as the file tells.
        skipped: Features without geometry or class.
    """

    items: tuple[Sample, ...]
    styles: dict[str, tuple[str, str]]
    skipped: int


def read_samples(path: Path, field: str, crs: CRS | None) -> Samples:
    """Read a GeoJSON FeatureCollection.

    Args:
        path: File.
        field: Property that names the class.
        crs: Of the raster; coordinates are taken as they are where it has none.

    Raises:
        InputError: Not such a file, no such property, lines, or coordinates that can't be brought to the raster.
    """
    document = _load(path)
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise InputError(f"{path} is no GeoJSON FeatureCollection.", "Export the layer as GeoJSON.")
    source = _crs(document, path)
    items, skipped = [], 0
    for number, feature in enumerate(features, 1):
        geometry, label = _parts(feature, field, f"feature {number} of {path.name}", path)
        if geometry is None or label is None:
            skipped += 1
        else:
            items.append(Sample(geometry, label))
    if not items:
        raise InputError(f"{path} holds no sample with a class in {field!r}.", "Check layer and field.")
    if crs is not None:
        _check_degrees(items, source, document, path)
        items = [_moved(item, source, crs, path) for item in items]
    return Samples(tuple(items), _styles(document), skipped)


def clean(value: object) -> Label | None:
    """A class as a property holds it, a whole number or a text without control characters; None where there is none."""
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    if text.lstrip("-").isdecimal() and text.isascii() and len(text) < 10:
        return int(text)
    return text or None


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES} bytes.", "Leave out what is no sample.")
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).", "Give a GeoJSON file of samples.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no GeoJSON.", "Export the layer as GeoJSON.") from error
    return document if isinstance(document, dict) else {}


def _crs(document: dict[str, Any], path: Path) -> CRS:
    named = document.get("crs")
    if named is None:
        return CRS.from_epsg(4326)
    try:
        return CRS.from_user_input(str(named["properties"]["name"]))
    except (CRSError, KeyError, TypeError) as error:
        raise InputError(f"{path} names a CRS that isn't known.", "Export the layer in EPSG:4326.") from error


def _parts(feature: Any, field: str, which: str, path: Path) -> tuple[dict[str, Any] | None, Label | None]:
    if not isinstance(feature, dict):
        raise InputError(f"{which} is no GeoJSON feature.", "Export the layer as GeoJSON.")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict) or field not in properties:
        found = ", ".join(list(properties)[:8]) if isinstance(properties, dict) else ""
        raise InputError(f"{path} has no field {field!r}; it has {found or 'none'}.", "Name the field of the class.")
    geometry = feature.get("geometry")
    if geometry is None:
        return None, None
    if not isinstance(geometry, dict) or geometry.get("type") not in KINDS:
        kind = geometry.get("type") if isinstance(geometry, dict) else type(geometry).__name__
        raise InputError(f"{which} is a {kind!r:.40}; samples are points or polygons.", "Draw points or polygons.")
    if not geometry.get("coordinates"):
        return None, None
    if not is_valid_geom(geometry) or not all(map(_is_number, _numbers(geometry["coordinates"]))):
        raise InputError(f"{which} has coordinates that make no {geometry['type']}.", "Draw it again.")
    return geometry, clean(properties[field])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12  # false for nan too


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _numbers(item)
    else:
        yield value


def _check_degrees(items: list[Sample], source: CRS, document: dict[str, Any], path: Path) -> None:
    if document.get("crs") is not None or source.is_projected:
        return
    for item in items:
        box = geometry_bounds(item.geometry)
        if max(abs(box[0]), abs(box[2])) > 360 or max(abs(box[1]), abs(box[3])) > 90:
            raise InputError(
                f"{path} names no CRS, so its coordinates are degrees, but there is {box[0]:g}, {box[1]:g}.",
                "Export the layer in EPSG:4326, or with its CRS named.",
            )


def _moved(item: Sample, source: CRS, target: CRS, path: Path) -> Sample:
    if source == target:
        return item
    try:
        geometry = transform_geom(source, target, item.geometry)
        if all(map(_is_number, _numbers(geometry["coordinates"]))):
            return Sample(geometry, item.label)
    except (RasterioError, ValueError):
        pass
    raise InputError(
        f"A sample of {path} can't be brought to the raster's coordinates.", "Export the layer in the raster's CRS."
    )


def _styles(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    styles = document.get(LOOK)
    if not isinstance(styles, dict):
        return {}
    return {
        str(key): (str(clean(look.get("name")) or ""), str(look.get("color", "")))
        for key, look in styles.items()
        if isinstance(look, dict)
    }
