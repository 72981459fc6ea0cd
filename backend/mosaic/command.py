"""Run `mosaic`: put the maps of an archive onto tiles of a grid."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import rasterio
from rasterio.warp import transform_bounds

from backend import __version__
from backend.archive.footprint import Box, meet
from backend.card.model_card import LandCoverClass
from backend.core.atomic_files import refusing, write_files
from backend.core.context import Context
from backend.core.errors import InputError, NothingValidError
from backend.core.run_events import RunEvents
from backend.mosaic.sources import Source, newest_first, read_sources
from backend.mosaic.tile_grid import OwnSquares, Tile, UtmSquares
from backend.mosaic.tile_map import Rule, strips, write_tile
from backend.mosaic.whole import virtual_raster, whole_item
from backend.output.names import claim_outputs
from backend.output.styles import legend_tags
from backend.raster.blocks import LARGE_CACHE
from backend.raster.errors import RASTER_ERRORS
from backend.raster.grid import DEGREES, Grid
from backend.raster.opening import open_raster
from backend.raster.source import gdal_environment

PROBABILITY, DATE, VOTES = "probability", "date", "votes"
DIGEST = "SARDINO_MOSAIC"
ITEM = "mosaic.json"
# So many pixels around each strip are in memory.
MOST_FEATHER = 1000
_SAID = {
    PROBABILITY: "The class of the largest sum of probabilities of all maps.",
    DATE: "The newest map that has data.",
    VOTES: "The class that most maps have.",
}


@dataclass(frozen=True)
class MosaicRequest:
    """Hold the options of a mosaic.

    Attributes:
        manifest: manifest.csv of an archive of land cover.
        output: Folder to write into; made where missing.
        rule: PROBABILITY, DATE or VOTES.
        feather: Pixels over which a map fades out towards its edge.
        confidence: Whether the share of the class is written too.
        crs: CRS of the user's own tiles; None for squares of UTM.
        size: Side of the user's tiles, in units of the CRS.
        origin: A corner of the user's tiles.
        pixel_size: Side of a pixel, in units of the CRS; None for that of the first map.
        overwrite: Whether older tiles, of other maps or options, are replaced.
    """

    manifest: Path
    output: Path
    rule: str = PROBABILITY
    feather: int = 0
    confidence: bool = False
    crs: str | None = None
    size: float | None = None
    origin: Sequence[float] = (0.0, 0.0)
    pixel_size: float | None = None
    overwrite: bool = False


def mosaic(request: MosaicRequest, context: Context) -> dict[str, Any]:
    """Write a tile for each square that has data, a virtual raster for each CRS, and a STAC item.

    A tile is written whole or not at all, and one that is there, of the same place, maps and options, is left: a run
    that was stopped goes on where it was.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; finished tiles are kept.
    """
    events = RunEvents(context.reporter, "mosaic", str(request.manifest), {"output": request.output / ITEM})
    if request.feather > MOST_FEATHER:
        raise InputError(f"A feather of {request.feather} pixels is too wide.", f"Give {MOST_FEATHER} at most.")
    sources, classes = read_sources(request.manifest)
    sources = _ordered(sources, request)
    tiles = _tiles(request, sources)
    with refusing(request.output):
        request.output.mkdir(parents=True, exist_ok=True)
    events.start(tiles=len(tiles))
    counts: dict[int, int] = {}
    written: list[Tile] = []
    rule = Rule(classes, request.rule == DATE, request.feather)
    with gdal_environment(LARGE_CACHE):
        for number, tile in enumerate(tiles, 1):
            made = _make(tile, sources, rule, request, context)
            if made is not None:
                written.append(tile)
                for value, pixels in made.items():
                    counts[value] = counts.get(value, 0) + pixels
            context.reporter.progress(number, len(tiles))
        if not written:
            raise NothingValidError("No map has data in any tile.", "Check the maps of the archive.")
        outputs = _whole(request, written, sources, classes, context)
    found = [{"value": c.value, "name": c.name, "color": c.color, "pixels": counts.get(c.value, 0)} for c in classes]
    return events.result(outputs=outputs, tiles=len(written), scenes=len(sources), classes=found)


def _ordered(sources: list[Source], request: MosaicRequest) -> list[Source]:
    if request.rule == VOTES:
        return [replace(source, probabilities=None) for source in sources]
    if request.rule == DATE:
        return newest_first(sources)
    without = next((source.name for source in sources if source.probabilities is None), None)
    if without is not None:
        raise InputError(
            f"The archive has no probabilities of {without}.",
            "Make it with --also probabilities --bits 8, or decide overlaps with --by votes or --by date.",
        )
    return sources


def _tiles(request: MosaicRequest, sources: Sequence[Source]) -> list[Tile]:
    with gdal_environment(), open_raster(str(sources[0].classes)) as file:
        grid = Grid(file.crs, file.transform, file.width, file.height)
    metres, boxes = grid.pixel_metres(), [source.box for source in sources]
    pixel = request.pixel_size or (float(f"{metres[0]:.2g}") if metres else None)
    if pixel is None:
        raise InputError(f"The size of a pixel of {sources[0].classes} is unknown.", "Give --pixel-size.")
    if request.crs is None:
        if request.size is not None or tuple(request.origin) != (0.0, 0.0):
            raise InputError("--size and --origin have no effect without --crs.", "Add --crs, or leave them out.")
        return UtmSquares(pixel).tiles(boxes)
    if request.size is None:
        raise InputError("The size of the tiles is missing.", "Add --size, in units of the coordinate system.")
    squares = OwnSquares(request.crs, request.size, pixel, request.origin)
    if not squares.crs.is_projected and request.pixel_size is None:
        raise InputError(f"{request.crs} is in degrees, and the maps have metres.", "Give --pixel-size in degrees.")
    return squares.tiles(boxes)


def _make(
    tile: Tile, sources: Sequence[Source], rule: Rule, request: MosaicRequest, context: Context
) -> dict[int, int] | None:
    """Write a tile, unless it is there; return its pixels by class, None if it has none."""
    place = _degrees(tile)
    near = [source for source in sources if meet(source.box, place)]
    if not near:
        return None
    paths = {"output": request.output / f"{tile.name}.tif"}
    if request.confidence:
        paths["confidence"] = request.output / f"{tile.name}_confidence.tif"
    digest = _digest(tile, near, rule, request)
    if all(_same(path, digest) for path in paths.values()):
        return _counts(paths["output"])
    tags = {**legend_tags(rule.classes), "SARDINO_VERSION": __version__, "SARDINO_OUTPUT": "mosaic", DIGEST: digest}
    inputs = [str(path) for source in near for path in (source.classes, source.probabilities) if path]
    with claim_outputs(list(paths.values()), inputs, request.overwrite, context.cancel):
        return write_tile(paths, tile, strips(tile, near, rule, context.cancel), rule, tags) or None


def _digest(tile: Tile, sources: Sequence[Source], rule: Rule, request: MosaicRequest) -> str:
    """Return what tells a tile from others of its name: its grid, its maps, and how overlaps are decided."""
    grid = tile.grid
    place = grid.crs.to_wkt() if grid.crs else "", list(grid.transform)[:6], grid.width, grid.height
    facts = place, [[s.name, s.digest] for s in sources], request.rule, rule.feather, __version__
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _same(path: Path, digest: str) -> bool:
    try:
        with rasterio.open(path) as file:
            return bool(file.tags().get(DIGEST) == digest)
    except RASTER_ERRORS:
        return False


def _counts(path: Path) -> dict[int, int]:
    counts = np.zeros(256, np.int64)
    with rasterio.open(path) as file:
        for _, window in file.block_windows(1):
            counts += np.bincount(file.read(1, window=window).ravel(), minlength=256)
    return {value: int(count) for value, count in enumerate(counts) if value and count}


def _degrees(tile: Tile) -> Box:
    west, south, east, north = transform_bounds(tile.grid.crs, DEGREES, *tile.grid.bounds(), densify_pts=21)
    return west, south, east, north


def _whole(
    request: MosaicRequest, tiles: Sequence[Tile], sources: Sequence[Source], classes: Sequence[LandCoverClass],
    context: Context,
) -> dict[str, str]:  # fmt: skip
    """Write virtual rasters and the item; they are of what this run made or found."""
    files = {tile.name: f"{tile.name}.tif" for tile in tiles}
    systems: dict[str, list[Tile]] = {}
    for tile in tiles:
        systems.setdefault(tile.grid.crs.to_wkt() if tile.grid.crs else "", []).append(tile)
    contents: dict[Path, bytes] = {}
    for number, group in enumerate(systems.values(), 1):
        crs = group[0].grid.crs
        code = (crs.to_epsg() if crs else None) or number
        name = "mosaic" if len(systems) == 1 else f"mosaic_{code}"
        contents[request.output / f"{name}.vrt"] = virtual_raster(group, files, classes).encode()
    listed = {**{path.stem: path.name for path in contents}, **files}
    shares = {f"{name}_confidence": f"{name}_confidence.tif" for name in files} if request.confidence else {}
    collection = request.manifest.resolve().with_name("collection.json")
    try:
        link = quote(Path(os.path.relpath(collection, request.output)).as_posix())
    except ValueError:  # another drive of Windows
        link = collection.as_uri()
    about = {"classes": classes, "link": link, "rule": _SAID[request.rule], "shares": shares}
    item = whole_item(request.output.resolve().name, tiles, listed, sources, about)
    contents[request.output / ITEM] = (json.dumps(item, allow_nan=False) + "\n").encode()
    with refusing(request.output):
        write_files(contents, context.cancel)
    return {
        "output": str(request.output / ITEM),
        **{path.stem: str(path) for path in contents if path.suffix == ".vrt"},
    }
