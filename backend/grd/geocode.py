"""From the geometry of the image to a map grid, by the ground control points of the annotation.

A thin-plate spline, which passes through every point: their heights above the ellipsoid follow the terrain from line to
line, so that GDAL's own choice, a polynomial of second order, misses the 210 points of a real scene over the Western
Ghats by 108 m (root mean square) and 184 m at most. Between the points the terrain isn't known, and nothing is done
about it: a place h metres above the height annotated there is shown about h / tan(incidence) too near to the radar.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import from_origin
from rasterio.warp import reproject
from rasterio.warp import transform as transform_points
from scipy.interpolate import RBFInterpolator

from backend.errors import InputError
from backend.grd.annotation import Annotation
from backend.grid import DEGREES, Grid

Positions = NDArray[np.float64]
# Beyond these latitudes there is no UTM, but the Universal Polar Stereographic system.
UTM_NORTH, UTM_SOUTH = 84.0, -80.0
ROWS = 256
# Positions along each edge by which the outlines of an image and of an extent are drawn.
EDGE = 65
# Image samples around an extent, for interpolation and for what an outline misses.
SLACK = 32
# The smallest power, -50 dB: far below what the sensor can tell from nothing (about -22 dB), but a power.
FLOOR = np.float32(1e-5)
# Megabytes in which GDAL warps a piece.
WARP_MEMORY = 64


@dataclass(frozen=True)
class MapPlan:
    """Where the pixels come from, and where they go.

    Attributes:
        grid: Map grid.
        points: Ground control points, in the grid's CRS and samples of the part of the image below.
        top: First line of the image that is needed; so for the others.
        left: First sample.
        height: Lines.
        width: Samples.
    """

    grid: Grid
    points: tuple[GroundControlPoint, ...]
    top: int
    left: int
    height: int
    width: int


def plan_map(
    annotation: Annotation, shape: tuple[int, int], pixel_size: float, extent: Sequence[float] | None
) -> MapPlan:
    """Choose the CRS (UTM zone of the middle) and the grid, north up, its edges at multiples of the pixel size.

    Args:
        annotation: Of one polarisation.
        shape: Lines and samples.
        pixel_size: In metres.
        extent: Longitude and latitude: west, south, east, north; None for all.

    Raises:
        InputError: Positions are damaged, or the extent lies outside.
    """
    image, degrees = read_points(annotation, shape)
    crs = choose_crs(degrees)
    ground = _transform(DEGREES, crs, degrees)
    spread = np.ptp(image, axis=0)
    if len(image) < 4 or not np.isfinite(ground).all() or (spread == 0).any():
        raise InputError(f"{annotation.name} has no usable grid of positions.", "Download the product again, whole.")
    forward = _spline(image, ground)
    outline = forward(_outline(0, 0, shape[1], shape[0]))
    low, high = outline.min(axis=0), outline.max(axis=0)
    _check_size(annotation, low, high)
    box = (0, 0, *shape)
    if extent is not None:
        low, high, edge = _within(extent, crs, low, high)
        box = _box(_spline(ground, image)(edge), shape)
        if box[2] <= 0 or box[3] <= 0:
            raise _outside(extent)
    low, high = np.floor(low / pixel_size + 1e-6), np.ceil(high / pixel_size - 1e-6)
    columns, rows = (int(n) for n in high - low)
    grid = Grid(crs, from_origin(low[0] * pixel_size, high[1] * pixel_size, pixel_size, pixel_size), columns, rows)
    points = [
        GroundControlPoint(row=y - box[0], col=x - box[1], x=east, y=north)
        for (x, y), (east, north) in zip(image, ground)
    ]
    return MapPlan(grid, tuple(points), *box)


def read_points(annotation: Annotation, shape: tuple[int, int]) -> tuple[Positions, Positions]:
    """Image positions (sample, line) and longitude and latitude of the geolocation grid, shape [n, 2] each.

    An image position counts from the outer corner of the first sample, as GDAL counts; the annotation numbers samples,
    and its positions are those of their centres.
    """
    items = annotation.all("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    table = [[float(p.numbers(name)[0]) for name in ("pixel", "line", "longitude", "latitude")] for p in items]
    values = np.array(table, dtype=np.float64).reshape(-1, 4)
    image, degrees = values[:, :2] + 0.5, values[:, 2:]
    outside = (image < 0).any() or (image[:, 0] > 2 * shape[1]).any() or (image[:, 1] > 2 * shape[0]).any()
    if outside or (np.abs(degrees) > (360, 90)).any():
        raise InputError(f"{annotation.name} has impossible positions.", "Download the product again, whole.")
    return image, degrees


def choose_crs(degrees: Positions) -> CRS:
    """The zone of UTM (WGS 84), or the polar system, for the middle of positions [n, 2] of longitude and latitude."""
    # Mean direction: the mean of 179 and -179 is 180.
    turn = np.exp(1j * np.radians(degrees[:, 0])).mean()
    longitude, latitude = math.degrees(np.angle(turn)), float(degrees[:, 1].mean())
    if latitude > UTM_NORTH or latitude < UTM_SOUTH:
        return CRS.from_epsg(32661 if latitude > 0 else 32761)
    zone = min(max(int((longitude + 180) // 6) + 1, 1), 60)
    return CRS.from_epsg((32600 if latitude >= 0 else 32700) + zone)


def warp(path: Any, plan: MapPlan) -> Iterator[NDArray[np.float32]]:
    """The rows of the map, from top to bottom: linear power float32 [bands, rows, width], at least FLOOR; NaN outside.

    Bilinear, in power; over as many samples as a pixel covers where it is coarser than they are.

    Args:
        path: Tiled raster of power in the geometry of the plan's part of the image, with the plan's points.
        plan: Of the map.
    """
    with rasterio.open(path) as image:
        source = rasterio.band(image, list(image.indexes))
        for top in range(0, plan.grid.height, ROWS):
            part = plan.grid.offset(top, 0, min(ROWS, plan.grid.height - top), plan.grid.width)
            rows = np.full((image.count, part.height, part.width), np.nan, dtype=np.float32)
            reproject(
                source,
                rows,
                dst_transform=part.transform,
                dst_crs=part.crs,
                src_nodata=math.nan,
                dst_nodata=math.nan,
                resampling=Resampling.bilinear,
                warp_mem_limit=WARP_MEMORY,
                SRC_METHOD="GCP_TPS",
            )
            yield np.maximum(rows, FLOOR)  # which keeps NaN


def _spline(source: Positions, target: Positions) -> Callable[[Positions], Positions]:
    """The same spline as GDAL's. It doesn't depend on the scale, but solving for it does."""
    middle, scale = source.mean(axis=0), np.ptp(source, axis=0).max()
    fit = RBFInterpolator((source - middle) / scale, target, kernel="thin_plate_spline")

    def at(positions: Positions) -> Positions:
        found: Positions = fit((positions - middle) / scale)
        return found

    return at


def _outline(left: float, top: float, right: float, bottom: float) -> Positions:
    """Positions all around a rectangle, shape [n, 2]."""
    x, y = np.linspace(left, right, EDGE), np.linspace(top, bottom, EDGE)
    sides = [(x, np.full(EDGE, top)), (x, np.full(EDGE, bottom)), (np.full(EDGE, left), y), (np.full(EDGE, right), y)]
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def _transform(source: CRS, target: CRS, positions: Positions) -> Positions:
    try:
        return np.array(transform_points(source, target, positions[:, 0], positions[:, 1]), dtype=np.float64).T
    except RasterioError:
        return np.full_like(positions, np.nan)


def _check_size(annotation: Annotation, low: Positions, high: Positions) -> None:
    """Damaged positions would make a grid that fills the disk."""
    image = "imageAnnotation/imageInformation/"
    size = [
        annotation.whole(image + count) * float(annotation.numbers(image + spacing)[0])
        for count, spacing in (("numberOfSamples", "rangePixelSpacing"), ("numberOfLines", "azimuthPixelSpacing"))
    ]
    # A rectangle that stands on a corner fills half of the box around it; polar grids stretch a little more.
    longest = 1.5 * math.hypot(*size)
    if not 0 < longest < 5e6 or (high - low > longest).any():
        wide, tall = (float(n) / 1000 for n in high - low)
        raise InputError(
            f"{annotation.name}: the positions span {wide:.4g} x {tall:.4g} km, but the image "
            f"{size[0] / 1000:.4g} x {size[1] / 1000:.4g} km.",
            "Download the product again, whole.",
        )


def _within(
    extent: Sequence[float], crs: CRS, low: Positions, high: Positions
) -> tuple[Positions, Positions, Positions]:
    """Corners of the part of the map that an extent covers, and an outline of that part."""
    west, south, east, north = extent
    if not all(map(math.isfinite, extent)) or west >= east or south >= north or max(abs(south), abs(north)) > 90:
        raise InputError(
            f"The extent {west:g} {south:g} {east:g} {north:g} is empty, or not in degrees.",
            "For a Sentinel-1 product give it as longitude and latitude: WEST SOUTH EAST NORTH.",
        )
    edge = _transform(DEGREES, crs, _outline(west, south, east, north))
    if not np.isfinite(edge).all():
        raise _outside(extent)
    low, high = np.maximum(low, edge.min(axis=0)), np.minimum(high, edge.max(axis=0))
    if (low >= high).any():
        raise _outside(extent)
    return low, high, _outline(low[0], low[1], high[0], high[1])


def _box(positions: Positions, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Top, left, height and width of the image around some image positions."""
    left, top = np.maximum(np.floor(positions.min(axis=0)) - SLACK, 0).astype(int)
    right, bottom = np.minimum(np.ceil(positions.max(axis=0)) + SLACK, (shape[1], shape[0])).astype(int)
    return int(top), int(left), int(bottom - top), int(right - left)


def _outside(extent: Sequence[float]) -> InputError:
    return InputError(
        f"The extent {' '.join(f'{value:g}' for value in extent)} lies outside the product.",
        "For a Sentinel-1 product give it as longitude and latitude: WEST SOUTH EAST NORTH.",
    )
