"""Make the map of one tile, strip by strip: add up what all maps say, and choose the class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.card.colours import rgb
from backend.card.model_card import LandCoverClass
from backend.core.arrays import FloatArray
from backend.core.cancel import Cancel
from backend.maps.eight_bits import share_code
from backend.mosaic.reading import readers_of
from backend.mosaic.sources import Source
from backend.mosaic.tile_grid import Tile
from backend.output.raster_set import add_style
from backend.output.sink import Layer, RasterSink
from backend.output.styles import paletted_qml, share_qml
from backend.output.transaction import place_together
from backend.stream.decision import decision

# Bytes of the sums of a strip.
STRIP_BYTES = 2**26
LEAST_ROWS = 16


@dataclass(frozen=True)
class Rule:
    """Describe how overlaps are decided.

    Attributes:
        classes: Legend of the maps.
        by_date: Whether the newest map covers older ones; else their probabilities are added up.
        feather: Pixels over which a map fades out towards its edge.
    """

    classes: Sequence[LandCoverClass]
    by_date: bool
    feather: int


def strips(tile: Tile, sources: Sequence[Source], rule: Rule, cancel: Cancel) -> Iterator[FloatArray]:
    """Yield sums of probabilities, float32 [K, rows, width], from top to bottom; all 0 where no map has data.

    Args:
        tile: The tile.
        sources: Maps; by date, the newest first.
        rule: How overlaps are decided.
        cancel: Looked at before each map is read.
    """
    grid, count = tile.grid, len(rule.classes)
    rows = int(max(LEAST_ROWS, min(grid.height, STRIP_BYTES // (4 * count * grid.width))))
    with ExitStack() as stack:
        readers = [
            reader for source in sources for reader in readers_of(source, rule.classes, grid, rule.feather, stack)
        ]
        for top in range(0, grid.height, rows):
            bottom = min(grid.height, top + rows)
            sums = np.zeros((count, bottom - top, grid.width), np.float32)
            left = np.ones((bottom - top, grid.width), np.float32)  # what newer maps leave to older ones
            for reader in readers:
                cancel.check()
                part = reader.read(top, bottom)
                if part is None:
                    continue
                weights = part.weights * left[:, part.columns] if rule.by_date else part.weights
                sums[:, :, part.columns] += part.values * weights
                if rule.by_date:
                    left[:, part.columns] *= 1 - part.weights
            yield sums


def write_tile(
    paths: dict[str, Path], tile: Tile, sums: Iterator[FloatArray], rule: Rule, tags: dict[str, str]
) -> dict[int, int]:
    """Write the map of a tile, and its confidence if `paths` has it; nothing if no pixel has data.

    Args:
        paths: "output", and "confidence" if wanted; claimed.
        tile: The tile.
        sums: Sums by `strips`.
        rule: How overlaps are decided.
        tags: Metadata of the rasters.

    Returns:
        Pixels by class; empty if nothing was written.
    """
    classes, decide = rule.classes, decision(rule.classes)
    values = np.array([item.value for item in classes], dtype=np.uint8)
    layer = Layer("uint8", 0, ["land cover"], {item.value: rgb(item.color) for item in classes}, tags)
    code, counts = share_code(), np.zeros(256, np.int64)
    shares = replace(code.layer(["confidence"]), tags=tags)
    with ExitStack() as stack:
        sinks: dict[str, RasterSink] = {}
        for role, path in paths.items():
            sinks[role] = RasterSink(path, tile.grid, layer if role == "output" else shares)
            stack.callback(sinks[role].discard)
        for strip in sums:
            whole = strip.sum(axis=0)
            valid, best = whole > 0, decide(strip)
            chosen = np.where(valid, values[best], np.uint8(0))
            counts += np.bincount(chosen.ravel(), minlength=256)
            sinks["output"].write(chosen[None])
            if "confidence" in sinks:
                share = np.take_along_axis(strip, best[None], axis=0) / np.where(valid, whole, np.float32(1))
                sinks["confidence"].write(code.encode(share, valid))
        if not counts[1:].any():
            return {}
        for role, sink in sinks.items():
            sink.finish()
            main = role == "output"
            add_style(sink, paletted_qml(classes) if main else share_qml(), classes if main else ())
        place_together([sinks[role].files for role in sorted(sinks, key=lambda role: role == "output")])
    return {int(value): int(counts[value]) for value in values if counts[value]}
