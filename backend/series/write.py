"""Write an output strip by strip, from all dates at once."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from backend import PROGRAM, __version__
from backend.core.arrays import FloatArray
from backend.core.context import Context
from backend.output.raster_set import open_sink
from backend.output.sink import Layer, RasterSink
from backend.raster.grid import Rectangle
from backend.series.cut import cut
from backend.series.makers import Maker
from backend.series.origin import shared_tags
from backend.series.placed import PlacedSource
from backend.series.series import Series

# Rasters that are read at the same time: decoding takes a processor, and more gain nothing.
READERS = 4
OVERVIEW_SHARE = 0.05  # of the work, after the last row


def write(series: Series, maker: Maker, output: Path, stack: ExitStack, context: Context) -> RasterSink:
    """Return the finished output, under its temporary name; discarded with the stack unless it is committed.

    Args:
        series: Dates on one grid.
        maker: Makes bands from them.
        output: Final name.
        stack: Ends threads and removes what isn't committed.
        context: Receives progress, ends the run.
    """
    names = ", ".join(dict.fromkeys(member.name for member in series.members))
    tags = {
        "SARDINO_VERSION": __version__,
        "SARDINO_INPUT": names if len(names) < 4000 else f"{len(series.members)} rasters",
        "TIFFTAG_SOFTWARE": PROGRAM,
        "TIFFTAG_IMAGEDESCRIPTION": f"{maker.tags['SARDINO_OUTPUT']} of {len(series.members)} dates",
        **shared_tags(series.members),
        **maker.tags,
    }
    layer = Layer("float32", math.nan, list(maker.names), tags=tags)
    sink = open_sink(output, series.grid, layer, stack, context.cancel)
    total = math.ceil(series.grid.height * (1 + OVERVIEW_SHARE))
    done = 0
    for rows in _strips(series, maker, context):
        sink.write(rows)
        done += rows.shape[1]
        context.reporter.progress(done, total)
    sink.finish()
    context.reporter.progress(total, total)
    return sink


def _strips(series: Series, maker: Maker, context: Context) -> Iterator[FloatArray]:
    """Yield strips of the output, float32 [bands, rows, width], from top to bottom."""
    planes = len(series.placed) * len(series.polarisations)
    plan = cut(series.grid, [each.source for each in series.placed], planes, len(maker.names))
    with ThreadPoolExecutor(min(READERS, os.cpu_count() or 1), thread_name_prefix="date") as pool:
        for parts in plan.strips():
            strip = np.empty((len(maker.names), parts[0].height, series.grid.width), dtype=np.float32)
            for part in parts:
                context.cancel.check()
                power = _read(series, part, maker.halo, pool)
                strip[:, :, part.left : part.left + part.width] = maker.make(power)
            yield strip


def _read(series: Series, part: Rectangle, halo: int, pool: ThreadPoolExecutor) -> FloatArray:
    """Return linear power float32 [dates, polarisations, H, W] of a part with its halo, NaN where invalid."""
    top, left, height, width = part.top - halo, part.left - halo, part.height + 2 * halo, part.width + 2 * halo
    power = np.empty((len(series.placed), len(series.polarisations), height, width), dtype=np.float32)

    def read(item: tuple[int, PlacedSource]) -> None:
        index, placed = item
        power[index] = placed.window(top, left, height, width)

    for _ in pool.map(read, enumerate(series.placed)):
        pass
    return power
