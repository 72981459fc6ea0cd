"""Divide the world into tiles: squares of 100 km in UTM, named as in MGRS, or of a user's CRS, size and origin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.warp import transform, transform_bounds

from backend.core.errors import InputError
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import DEGREES, Grid

Box = tuple[float, float, float, float]
SQUARE = 100_000.0
# UTM is defined between these latitudes.
SOUTH_END, NORTH_END = -80.0, 84.0
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
# Points along each side of a box when it is transformed to another CRS.
DENSE = 21
MOST_SIDE = 100_000  # pixels of a tile


@dataclass(frozen=True)
class Tile:
    """Hold a tile of a grid.

    Attributes:
        name: Unique, and fit for a file.
        grid: Its pixels.
    """

    name: str
    grid: Grid


class UtmSquares:
    """Divide the UTM zones (WGS 84) into squares of 100 km, without MGRS's exceptions for Norway and Svalbard.

    Where two zones meet, a square of either covers the seam.

    Args:
        pixel: Size of a pixel in metres.
    """

    def __init__(self, pixel: float) -> None:
        self._pixels = _pixels(SQUARE, pixel)
        self._pixel = pixel

    def tiles(self, boxes: Iterable[Box]) -> list[Tile]:
        """Return the tiles that boxes of west, south, east, north in degrees touch, by name."""
        found: dict[str, Tile] = {}
        for zone, south, box in (part for whole in boxes for part in _zones(whole)):
            crs = CRS.from_epsg((32700 if south else 32600) + zone)
            for column, row in _squares(_bounds(DEGREES, crs, box), SQUARE, (0.0, 0.0)):
                corner = Affine(self._pixel, 0, column * SQUARE, 0, -self._pixel, (row + 1) * SQUARE)
                name = _mgrs(zone, crs, column, row)
                found.setdefault(name, Tile(name, Grid(crs, corner, self._pixels, self._pixels)))
        return [found[name] for name in sorted(found)]


class OwnSquares:
    """Divide one CRS into squares, counted from an origin: column to the east, row to the north.

    Args:
        crs: Name of the CRS, such as EPSG:3035.
        size: Side of a tile, in units of the CRS.
        pixel: Side of a pixel.
        origin: A corner of tiles.

    Raises:
        InputError: The CRS isn't known, or the size is no multiple of the pixel.
    """

    def __init__(self, crs: str, size: float, pixel: float, origin: Sequence[float] = (0.0, 0.0)) -> None:
        try:
            self.crs = CRS.from_user_input(crs)
        except (CRSError, *RASTER_ERRORS) as error:
            raise InputError(
                f"{crs!r} is no coordinate system that PROJ knows.", "Give one such as EPSG:3035."
            ) from error
        self._size, self._pixel, self._pixels = size, pixel, _pixels(size, pixel)
        self._origin = (float(origin[0]), float(origin[1]))

    def tiles(self, boxes: Iterable[Box]) -> list[Tile]:
        """Return the tiles that boxes of west, south, east, north in degrees touch, row by row."""
        found: set[tuple[int, int]] = set()
        for box in boxes:
            for part in _halves(box) if self.crs.is_geographic else (box,):
                found.update(_squares(_bounds(DEGREES, self.crs, part), self._size, self._origin))
        tiles = []
        for column, row in sorted(found, key=lambda place: (-place[1], place[0])):
            left, top = self._origin[0] + column * self._size, self._origin[1] + (row + 1) * self._size
            corner = Affine(self._pixel, 0, left, 0, -self._pixel, top)
            tiles.append(Tile(f"c{column}_r{row}", Grid(self.crs, corner, self._pixels, self._pixels)))
        return tiles


def _pixels(size: float, pixel: float) -> int:
    if not (math.isfinite(size) and math.isfinite(pixel) and size > 0 and pixel > 0):
        raise InputError(f"Tiles of {size:g} with pixels of {pixel:g} can't be made.", "Give sizes above 0.")
    count = round(size / pixel)
    if abs(count * pixel - size) > 1e-6 * size or not 1 <= count <= MOST_SIDE:
        raise InputError(
            f"A tile holds {size / pixel:g} pixels of {pixel:g}; it must be a whole number, up to {MOST_SIDE}.",
            "Give another --size or --pixel-size.",
        )
    return count


def _zones(box: Box) -> Iterator[tuple[int, bool, Box]]:
    """Yield zone, whether it is the southern half, and the part of a box that lies there."""
    if box[2] < box[0]:
        for part in _halves(box):
            yield from _zones(part)
        return
    west, south, east, north = box
    for half, low, high in ((True, SOUTH_END, 0.0), (False, 0.0, NORTH_END)):
        bottom, top = max(south, low), min(north, high)
        if bottom >= top:
            continue
        first, last = (min(60, max(1, math.floor((lon + 180) / 6) + 1)) for lon in (west, east))
        for zone in range(first, last + 1):
            left, right = max(west, 6.0 * zone - 186), min(east, 6.0 * zone - 180)
            if left < right:
                yield zone, half, (left, bottom, right, top)


def _halves(box: Box) -> list[Box]:
    """Return the parts of a box on either side of the antimeridian, if it crosses it."""
    west, south, east, north = box
    return [box] if west <= east else [(west, south, 180.0, north), (-180.0, south, east, north)]


def _squares(bounds: Box, size: float, origin: tuple[float, float]) -> list[tuple[int, int]]:
    left, bottom, right, top = bounds
    columns = range(math.floor((left - origin[0]) / size), math.ceil((right - origin[0]) / size))
    rows = range(math.floor((bottom - origin[1]) / size), math.ceil((top - origin[1]) / size))
    return [(column, row) for row in rows for column in columns]


def _bounds(source: CRS, target: CRS, box: Box) -> Box:
    try:
        left, bottom, right, top = transform_bounds(source, target, *box, densify_pts=DENSE)
    except RASTER_ERRORS as error:
        raise InputError(f"A scene at {box} lies outside the area of {target}.", "Choose another --crs.") from error
    if not all(map(math.isfinite, (left, bottom, right, top))):
        raise InputError(f"A scene at {box} lies outside the area of {target}.", "Choose another --crs.")
    return left, bottom, right, top


def _mgrs(zone: int, crs: CRS, column: int, row: int) -> str:
    """Return the name of a square, such as 32UPC; its band is that of its centre."""
    (_,), (latitude,) = transform(crs, DEGREES, [(column + 0.5) * SQUARE], [(row + 0.5) * SQUARE])
    band = _BANDS[min(len(_BANDS) - 1, max(0, math.floor((latitude + 80) / 8)))]
    letters = _COLUMNS[(zone - 1) % 3]
    across = letters[min(len(letters), max(1, column)) - 1]
    return f"{zone:02}{band}{across}{_ROWS[(row + (5 if zone % 2 == 0 else 0)) % 20]}"
