"""Find all the ground control points that a raster has, also where GDAL shows only some, or none."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.windows import Window

from backend.raster.errors import RASTER_ERRORS

# A spline through thousands of points takes minutes; annotations of products have about 200.
SIDE = 20
DEGREES = CRS.from_epsg(4326)
# Tags of GeoTIFF, and TIFF's types of 64-bit floats and integers.
PIXEL_SCALE, TIE_POINTS, DOUBLE = 33550, 33922, 12
MOST_POINTS = 10**6  # of six numbers: 48 MB


def all_points(file: Any) -> tuple[list[GroundControlPoint], CRS | None]:
    """Return the ground control points of a raster that has no grid, and their coordinate system.

    A geolocation array (netCDF; SNAP, where GDAL shows its corners as points) comes before points. A GeoTIFF of SNAP
    with several bands has points and a pixel size: GDAL takes the first point and the size, though both disagree.

    Args:
        file: Opened rasterio dataset.
    """
    if not file.transform.is_identity:
        found = _contradicting(file)
        return (found, file.crs) if found else ([], None)
    with suppress(*RASTER_ERRORS, KeyError, ValueError):
        found, crs = _geolocation(file, file.tags(ns="GEOLOCATION"))
        if len(found) > len(file.gcps[0]):
            return found, crs
    points, own = file.gcps
    return list(points), own


def thinned(points: list[GroundControlPoint]) -> list[GroundControlPoint]:
    """Return at most SIDE x SIDE of many points, spread over the image, its edges included."""
    if len(points) <= SIDE**2:
        return points
    places = np.array([(point.row, point.col) for point in points])
    low, high = places.min(axis=0), places.max(axis=0)
    size = np.maximum(high - low, 1e-9)
    nodes = np.stack(np.meshgrid(*[np.linspace(0, 1, SIDE)] * 2), axis=-1).reshape(-1, 2)
    unit = (places - low) / size
    return [points[n] for n in sorted({int(((unit - node) ** 2).sum(axis=1).argmin()) for node in nodes})]


def _geolocation(file: Any, tags: dict[str, str]) -> tuple[list[GroundControlPoint], CRS]:
    """Return the points of GDAL's geolocation array: longitudes and latitudes of every n-th pixel in another raster."""
    crs = CRS.from_wkt(tags["SRS"]) if tags.get("SRS") else DEGREES
    steps = [(float(tags[f"{axis}_OFFSET"]), float(tags[f"{axis}_STEP"])) for axis in ("LINE", "PIXEL")]
    # The driver of SNAP's files says 0 for points at the centres of pixels.
    centred = tags.get("GEOREFERENCING_CONVENTION") == "PIXEL_CENTER" or file.driver == "SNAP_TIFF"
    with rasterio.open(tags["X_DATASET"]) as xs, rasterio.open(tags["Y_DATASET"]) as ys:
        if xs.height == 1 or ys.height == 1:
            return [], crs  # one axis each
        rows = np.unique(np.linspace(0, xs.height - 1, SIDE).round().astype(int))
        columns = np.unique(np.linspace(0, xs.width - 1, SIDE).round().astype(int))
        points = []
        for row in rows.tolist():
            x, y = (
                array.read(int(tags[f"{axis}_BAND"]), window=Window(0, row, xs.width, 1), masked=True)[0, columns]
                for axis, array in (("X", xs), ("Y", ys))
            )
            lines = [(steps[0][0] + row * steps[0][1] + 0.5 * centred)] * len(columns)
            pixels = steps[1][0] + columns * steps[1][1] + 0.5 * centred
            values = x.astype(float).filled(np.nan), y.astype(float).filled(np.nan)
            points += [GroundControlPoint(*place) for place in zip(lines, pixels, *values) if _on_earth(crs, place)]
    return points, crs


def _on_earth(crs: CRS, place: tuple[float, ...]) -> bool:
    x, y = place[2:4]
    return bool(np.isfinite((x, y)).all()) and (not crs.is_geographic or (abs(x) <= 360 and abs(y) <= 90))


def _contradicting(file: Any) -> list[GroundControlPoint]:
    """Return the tie points of a GeoTIFF from which its transform is more than a pixel away."""
    if file.driver != "GTiff" or not file.transform.determinant:
        return []
    with suppress(OSError, ValueError, OverflowError, struct.error), open(file.name, "rb") as stream:
        tags = _double_tags(stream, (PIXEL_SCALE, TIE_POINTS))
        ties = tags.get(TIE_POINTS, np.empty(0)).reshape(-1, 6)
        if PIXEL_SCALE not in tags or len(ties) < 2:
            return []
        away = np.array([~file.transform * (tie[3], tie[4]) for tie in ties]) - ties[:, :2]
        # Area and point differ by half a pixel.
        if np.abs(away).max() > 1.0 and np.ptp(away, axis=0).max() > 1.0:
            return [GroundControlPoint(tie[1], tie[0], tie[3], tie[4], tie[5]) for tie in ties]
    return []


def _double_tags(stream: BinaryIO, wanted: tuple[int, ...]) -> dict[int, NDArray[np.float64]]:
    """Read tags of 64-bit floats of the first image of a TIFF.

    Raises:
        OSError, ValueError, OverflowError, struct.error: It is no TIFF, or damaged.
    """
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}[head[:2]] if head[:2] in (b"II", b"MM") else ""
    if not order:
        raise ValueError("not a TIFF")
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    # BigTIFF: lengths and places of 64 bits instead of 32 (and 16 for the number of tags).
    count, entry = (f"{order}Q", f"{order}HHQQ") if big else (f"{order}H", f"{order}HHII")
    stream.seek(struct.unpack(f"{order}Q", head[8:16])[0] if big else struct.unpack(f"{order}I", head[4:8])[0])
    number = struct.unpack(count, stream.read(struct.calcsize(count)))[0]
    entries = [struct.unpack(entry, stream.read(struct.calcsize(entry))) for _ in range(min(number, 4096))]
    found: dict[int, NDArray[np.float64]] = {}
    for tag, kind, length, place in entries:
        if tag in wanted and kind == DOUBLE and 1 < length <= 6 * MOST_POINTS:
            stream.seek(place)
            found[tag] = np.frombuffer(stream.read(8 * length), f"{order}f8").astype(np.float64)
    return found


def spread(points: list[GroundControlPoint]) -> Affine:
    """Return the affine transform that fits points best, by least squares.

    Raises:
        ValueError: They lie on a line.
    """
    places = np.array([(point.col, point.row, 1.0) for point in points])
    found, _, rank, _ = np.linalg.lstsq(places, np.array([(point.x, point.y) for point in points]), rcond=None)
    if rank < 3:
        raise ValueError("the points lie on a line")
    return Affine(*found[:, 0], *found[:, 1])
