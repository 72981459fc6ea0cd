"""Find the place of a raster in longitude and latitude, also where it crosses the antimeridian.

Longitudes of a ring are unrolled, so that neighbours differ by less than half a turn, and cut at 180 degrees: RFC 7946,
section 3.1.9. The west of a box that crosses is larger than its east: section 5.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform as transform_points
from rasterio.warp import transform_bounds

from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import DEGREES

Box = tuple[float, float, float, float]
Place = tuple[float, float]
# Points along each side of a footprint, which is no rectangle in longitude and latitude.
ALONG = 4
# Decimals of a degree: a metre.
DECIMALS = 5
TURN = 360.0


def footprint(crs: CRS | None, transform: Affine, width: int, height: int) -> tuple[dict[str, Any], Box] | None:
    """Return the GeoJSON geometry of a raster, and its box of west, south, east, north; None if its place is unknown.

    Args:
        crs: Of the raster.
        transform: From (column, row) to coordinates.
        width: Columns.
        height: Rows.
    """
    if crs is None:
        return None
    try:
        ring = _ring(crs, transform, width, height)
        if ring is None:  # a pole lies inside
            ends = [transform * corner for corner in ((0, 0), (width, 0), (width, height), (0, height))]
            xs, ys = [end[0] for end in ends], [end[1] for end in ends]
            west, south, east, north = transform_bounds(
                crs, DEGREES, min(xs), min(ys), max(xs), max(ys), densify_pts=21
            )
            return box_geometry((west, south, east, north)), (west, south, east, north)
    except RASTER_ERRORS:
        return None
    if not all(math.isfinite(value) for place in ring for value in place):
        return None
    lons, lats = [place[0] for place in ring], [round(place[1], DECIMALS) for place in ring]
    box = round(min(lons), DECIMALS), min(lats), _rolled(round(max(lons), DECIMALS)), max(lats)
    return _cut(ring), box


def box_geometry(box: Box) -> dict[str, Any]:
    """Return a box of west, south, east, north in degrees as a GeoJSON geometry."""
    west, south, east, north = box
    east = east if east >= west else east + TURN
    return _cut([(west, south), (east, south), (east, north), (west, north)])


def meet(first: Box, second: Box) -> bool:
    """Return whether two boxes of west, south, east, north in degrees have a point in common."""
    if first[1] > second[3] or second[1] > first[3]:
        return False
    return any(a[0] <= b[1] and b[0] <= a[1] for a in _spans(first) for b in _spans(second))


def union_box(boxes: Iterable[Box]) -> Box | None:
    """Return the box of least width around boxes of west, south, east, north in degrees; None if there are none."""
    listed = list(boxes)
    if not listed:
        return None
    spans = sorted(span for box in listed for span in _spans(box))
    reach, gaps = spans[0][1], []
    for west, east in spans[1:]:
        gaps.append((west - reach, west, reach))
        reach = max(reach, east)
    # Equal gaps leave the box as it would be without an antimeridian.
    widest, west, east = max([(spans[0][0] + TURN - reach, spans[0][0], reach), *gaps], key=lambda gap: gap[0])
    if widest <= 0:
        west, east = -180.0, 180.0
    return west, min(box[1] for box in listed), east, max(box[3] for box in listed)


def _spans(box: Box) -> list[Place]:
    return [(box[0], box[2])] if box[0] <= box[2] else [(box[0], 180.0), (-180.0, box[2])]


def _rolled(lon: float) -> float:
    return round(lon - TURN, DECIMALS) if lon > 180 else lon


def _ring(crs: CRS, transform: Affine, width: int, height: int) -> list[Place] | None:
    """Return the outline of a raster in degrees, unrolled from a west within -180 and 180; None if around a pole."""
    corners = [(0, 0), (width, 0), (width, height), (0, height), (0, 0)]
    places = [
        transform * (a[0] + (b[0] - a[0]) * step / ALONG, a[1] + (b[1] - a[1]) * step / ALONG)
        for a, b in zip(corners, corners[1:])
        for step in range(ALONG)
    ]
    lons, lats = transform_points(crs, DEGREES, *map(list, zip(*places)))
    unrolled = [lons[0]]
    for lon in [*lons[1:], lons[0]]:
        unrolled.append(lon - TURN * round((lon - unrolled[-1]) / TURN) if math.isfinite(lon) else lon)
    if abs(unrolled.pop() - unrolled[0]) > TURN / 2:
        return None
    turns = TURN * math.floor((min(unrolled) + 180) / TURN) if all(map(math.isfinite, unrolled)) else 0.0
    return [(lon - turns, lat) for lon, lat in zip(unrolled, lats)]


def _cut(ring: Sequence[Place]) -> dict[str, Any]:
    """Return a ring in unrolled degrees as a polygon, or as two where it crosses 180 degrees."""
    west, east = _side(ring, 1), _side(ring, -1)
    parts = [_closed(west)] if len(west) > 2 else []
    if len(east) > 2 and max(place[0] for place in east) > 180:
        parts.append(_closed([(lon - TURN, lat) for lon, lat in east]))
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts}
    return {"type": "MultiPolygon", "coordinates": [[part] for part in parts]}


def _side(ring: Sequence[Place], sign: int) -> list[Place]:
    """Return the part of a ring to the west (1) or east (-1) of 180 degrees (Sutherland and Hodgman, 1974)."""
    kept: list[Place] = []
    for (lon, lat), (following, next_lat) in zip(ring, [*ring[1:], ring[0]]):
        inside, next_inside = sign * (180 - lon) >= 0, sign * (180 - following) >= 0
        if inside:
            kept.append((lon, lat))
        if inside != next_inside:
            kept.append((180.0, lat + (next_lat - lat) * (180 - lon) / (following - lon)))
    return kept


def _closed(ring: Sequence[Place]) -> list[list[float]]:
    """Return a closed ring, right-handed as GeoJSON wants its outer rings."""
    places = [*ring, ring[0]]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(places, places[1:]))
    return [[round(float(v), DECIMALS) for v in place] for place in (places if area > 0 else places[::-1])]
