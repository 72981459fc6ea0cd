"""Read labelled points and polygons from GeoJSON, in the CRS of a raster."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.features import is_valid_geom
from rasterio.warp import transform_geom

from backend.core.errors import InputError
from backend.core.regular_file import read_regular_text
from backend.raster.errors import RASTER_ERRORS

# RFC 7946, section 4: coordinates without a "crs" member are longitude and latitude on WGS 84.
DEFAULT_CRS = CRS.from_string("OGC:CRS84")
MOST_BYTES = 512 * 2**20  # of a file; parsed, it takes about ten times as much
# Outside every raster, in any coordinate system.
NOWHERE: dict[str, Any] = {"type": "Point", "coordinates": (1e30, 1e30)}
POINTS, POLYGONS = ("Point", "MultiPoint"), ("Polygon", "MultiPolygon")


@dataclass(frozen=True)
class Feature:
    """Hold a geometry with its properties.

    Attributes:
        number: Position in the file, from 1.
        geometry: GeoJSON geometry (Point, MultiPoint, Polygon or MultiPolygon), two-dimensional, in the raster's CRS.
        properties: As in the file.
    """

    number: int
    geometry: Mapping[str, Any]
    properties: Mapping[str, Any]

    @property
    def is_polygon(self) -> bool:
        """Return whether the geometry has an area."""
        return self.geometry["type"] in POLYGONS

    def points(self) -> list[tuple[float, float]]:
        """Return the coordinates of a point or of the points of a multipoint."""
        found = self.geometry["coordinates"]
        return [tuple(p) for p in (found if self.geometry["type"] == "MultiPoint" else [found])]

    def bounds(self) -> tuple[float, float, float, float]:
        """Return xmin, ymin, xmax, ymax."""
        pairs = list(_pairs(self.geometry["coordinates"]))
        xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
        return min(xs), min(ys), max(xs), max(ys)


def read_features(path: str | Path, crs: CRS | None, elsewhere: bool = False) -> tuple[list[Feature], int]:
    """Return points and polygons of a GeoJSON file in a CRS, and the number of features without a geometry.

    Args:
        path: FeatureCollection. Its CRS is named by its "crs" member (as GDAL writes it), else it is WGS 84.
        crs: Target CRS; None if the raster has none: then coordinates are not transformed.
        elsewhere: Whether features may have no place in that CRS; these become the point NOWHERE.

    Raises:
        InputError: The file can't be read, has lines, collections or no features, or can't be transformed to `crs`.
    """
    document = _load(Path(path))
    own = _own_crs(document, path)
    items = document["features"]
    kept = [(number, item) for number, item in enumerate(items, 1) if _has_geometry(item)]
    if not kept:
        raise InputError(f"{path} has no feature with a geometry.", "Give points or polygons, each with a class.")
    geometries = [_plane(item["geometry"], number, path) for number, item in kept]
    if crs is not None and own != crs:
        geometries = _transformed(geometries, (own, crs), path, elsewhere)
    features = [
        Feature(number, geometry, _properties(item, number, path)) for (number, item), geometry in zip(kept, geometries)
    ]
    for feature in features:
        if not all(map(math.isfinite, feature.bounds())):
            raise InputError(
                f"Feature {feature.number} of {path} lies outside the area of the raster's coordinate system.",
                "Check the coordinate systems of both.",
            )
    return features, len(items) - len(kept)


def _transformed(
    geometries: list[dict[str, Any]], systems: tuple[CRS, CRS], path: str | Path, elsewhere: bool
) -> list[dict[str, Any]]:
    """Return geometries in the second of two coordinate systems."""
    own, crs = systems
    try:
        found = list(transform_geom(own, crs, geometries))
    except RASTER_ERRORS as error:
        if elsewhere and len(geometries) > 1:
            return [_transformed([each], systems, path, elsewhere)[0] for each in geometries]
        if elsewhere:
            return [NOWHERE]
        raise InputError(
            f"{path} can't be transformed from {own.to_string()} to the raster's {crs.to_string()}.",
            "Check its coordinate system, or reproject it first.",
        ) from error
    if not elsewhere:
        return found
    return [each if all(math.isfinite(v) for pair in _pairs(each["coordinates"]) for v in pair) else NOWHERE
            for each in found]  # fmt: skip


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_regular_text(path, MOST_BYTES))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).", "Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is neither a raster nor GeoJSON.", "Export the layer to GeoJSON, or give a raster file."
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        raise InputError(f"{path} is not a GeoJSON FeatureCollection.", "Export the layer to GeoJSON again.")
    return document


def _own_crs(document: Mapping[str, Any], path: str | Path) -> CRS:
    member = document.get("crs")
    if member is None:
        return DEFAULT_CRS
    try:
        return CRS.from_user_input(member["properties"]["name"])
    except (CRSError, KeyError, TypeError, ValueError, OverflowError, *RASTER_ERRORS) as error:
        raise InputError(f"{path} names an unknown coordinate system.", "Export the layer again.") from error


def _has_geometry(item: Any) -> bool:
    geometry = item.get("geometry") if isinstance(item, dict) else None
    return isinstance(geometry, dict) and bool(geometry.get("coordinates") or geometry.get("geometries"))


def _properties(item: Mapping[str, Any], number: int, path: str | Path) -> Mapping[str, Any]:
    found = item.get("properties")
    if found is not None and not isinstance(found, dict):
        raise InputError(
            f"Feature {number} of {path} has properties that are a JSON {type(found).__name__}, not names with values.",
            "Export the layer to GeoJSON again.",
        )
    return found or {}


def _plane(geometry: Mapping[str, Any], number: int, path: str | Path) -> dict[str, Any]:
    kind = geometry.get("type")
    if kind not in POINTS + POLYGONS:
        raise InputError(
            f"Feature {number} of {path} is a {kind}; points or polygons are needed.", "Remove or convert it."
        )
    try:
        coordinates = _flat(geometry["coordinates"])
        pairs = list(_pairs(coordinates))
        if not pairs or not all(math.isfinite(number) for pair in pairs for number in pair):
            raise ValueError("empty, or no numbers")
        if not is_valid_geom({"type": kind, "coordinates": coordinates}):
            raise ValueError("too few points for an area")
    except (TypeError, ValueError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise InputError(f"Feature {number} of {path} has broken coordinates.", "Repair or remove it.") from error
    return {"type": kind, "coordinates": coordinates}


def _flat(coordinates: Any) -> Any:
    """Return coordinates without heights."""
    if not isinstance(coordinates, (list, tuple)):
        raise ValueError("not nested as coordinates are")
    if isinstance(coordinates[0], (int, float)):
        return float(coordinates[0]), float(coordinates[1])
    return [_flat(part) for part in coordinates]


def _pairs(coordinates: Any) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], (int, float)):
        yield coordinates[0], coordinates[1]
    else:
        for part in coordinates:
            yield from _pairs(part)
