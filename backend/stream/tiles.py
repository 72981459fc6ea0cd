"""Stream a raster through a model: read strips, cut tiles, run, blend, return finished rows, in bounded memory.

Three threads (reader, model, writer) with queues of two between them. The model is any callable on arrays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray
from backend.core.cancel import Cancel
from backend.stream.blend import RowBlender
from backend.stream.cutting import Cutter, HostCutter, unread
from backend.stream.pipeline import Flow, Pipe
from backend.stream.rows import Frame
from backend.stream.tiling import TilePlan

# To the answers, tile by tile: an array, tensors that a blender of their own understands, or an iterator over answers
# that are still to come, which the writer's thread waits for.
Model = Callable[[FloatArray], Any]
# Called with rows of float32, or of what a blender makes of them.
Emit = Callable[[NDArray[Any], BoolArray], None]
QUEUE = 2
OPEN_PIXELS = 2**24


class Blender(Protocol):
    """Add tiles up, and return rows that no later tile touches; see `backend.stream.blend.RowBlender`."""

    def add(self, row: int, column: int, values: Any) -> None:
        """Add a tile."""

    def finish(self, row: int) -> NDArray[Any]:
        """Return the rows that are final once a tile row is complete; valid until the next call."""


@dataclass(frozen=True)
class TileJob:
    """Describe which tiles go through a model, and how its answers are combined.

    Attributes:
        plan: Tiles over the frame.
        channels: Planes of a tile of the model's answer.
        batch: Tiles given to the model at once.
        per_patch: Whether the model answers for patches instead of pixels.
        coverage: Whether to append a channel with the summed weights of the tiles that were not skipped.
        only: Indices (row, column) of the tiles to send; all if None. Tile rows without one are not even read, and
            count as not valid.
        blender: Function from plan and channels to the `Blender` that adds answers up.
        fetch: Whether answers are arrays; else they stay on the device, as tensors that `blender` adds up.
        cutter: From frame, plan and flow to the `Cutter` that reads rows of tiles; its threads are the flow's.
    """

    plan: TilePlan
    channels: int
    batch: int
    per_patch: bool = False
    coverage: bool = False
    only: Collection[tuple[int, int]] | None = None
    blender: Callable[[TilePlan, int], Blender] = RowBlender
    fetch: bool = True
    cutter: Callable[[Frame, TilePlan, Flow], Cutter] = HostCutter

    @property
    def blend_plan(self) -> TilePlan:
        """Return the same tiles on the grid of the answers."""
        return self.plan.on_patches() if self.per_patch else self.plan

    def columns(self, row: int) -> set[int]:
        """Return the indices of the tiles to send of a tile row."""
        return {c for c in range(len(self.plan.columns.origins)) if self.only is None or (row, c) in self.only}


@dataclass
class _Work:
    """Hold a batch of tiles, and the validity of the tile rows that begin with it."""

    places: list[tuple[int, int]] = field(default_factory=list)
    tiles: list[Any] = field(default_factory=list)
    opened: dict[int, BoolArray] = field(default_factory=dict)
    done: int = 0


def run_stream(
    frame: Frame,
    job: TileJob,
    model: Model,
    emit: Emit,
    cancel: Cancel,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Send every tile that holds a valid pixel through the model and emit blended rows from top to bottom.

    Args:
        frame: Source of network input.
        job: Tiles to send.
        model: float32 [n, bands, tile, tile], as the job's cutter stacks tiles, to n times [channels, t, t] (float32,
            or what its blender adds up), called in the calling thread.
        emit: Called from the writer's thread with finished rows [channels, rows, width] of the blend plan, as the
            blender hands them out, and the validity bool [rows, width] of the frame's rows of the same tile row.
        cancel: Ends the run with Cancelled.
        progress: Called with (done, total) tiles.

    Returns:
        The number of valid pixels.
    """
    flow = Flow(cancel)
    cutter = job.cutter(frame, job.plan, flow)
    read: Pipe[_Work] = Pipe(flow, QUEUE)
    computed: Pipe[tuple[_Work, Any]] = Pipe(flow, QUEUE)
    valid_pixels = 0

    def reader() -> None:
        nonlocal valid_pixels
        for work, count in _batches(cutter, frame.width, job, flow):
            valid_pixels += count
            read.put(work)
        read.close()

    def writer() -> None:
        _Writer(job, emit).consume(computed)

    def compute() -> None:
        for work in read:
            tiles, work.tiles = work.tiles, []
            result = model(cutter.stack(tiles)) if tiles else None
            flow.check()
            computed.put((work, result))
            progress(work.done, len(job.plan))
        computed.close()

    flow.start(reader, "reader")
    flow.start(writer, "writer")
    flow.run(compute)
    return valid_pixels


def _batches(cutter: Cutter, width: int, job: TileJob, flow: Flow) -> Iterator[tuple[_Work, int]]:
    work, valid_pixels, plan = _Work(), 0, job.plan
    columns = len(plan.columns.origins)
    for row in range(len(plan.rows.origins)):
        flow.check()
        wanted = job.columns(row)
        opened = cutter.read(row) if wanted else unread(plan, row, width)
        work.opened[row] = opened.valid
        valid_pixels += int(np.count_nonzero(opened.valid))
        for column in range(columns):
            tile = opened.tile(column) if column in wanted else None
            if tile is not None:
                work.places.append((row, column))
                work.tiles.append(tile)
            work.done = row * columns + column + 1
            if len(work.tiles) == job.batch:
                yield work, valid_pixels
                work, valid_pixels = _Work(done=work.done), 0
        if not work.tiles or sum(v.size for v in work.opened.values()) > OPEN_PIXELS:
            # Keeps long runs of nearly empty tile rows from piling up their validity in one batch.
            yield work, valid_pixels
            work, valid_pixels = _Work(done=work.done), 0
    yield work, valid_pixels


class _Writer:
    """Blend results in order, and close tile rows when the first tile of a later one arrives."""

    def __init__(self, job: TileJob, emit: Emit) -> None:
        self._count = len(job.plan.rows.origins)
        self._blender = job.blender(job.blend_plan, job.channels + int(job.coverage))
        self._emit = emit
        self._coverage = job.coverage
        self._validity: dict[int, BoolArray] = {}
        self._row = 0

    def consume(self, results: Pipe[tuple[_Work, Any]]) -> None:
        for work, values in results:
            self._validity.update(work.opened)
            if values is not None:
                for (row, column), tile in zip(work.places, values):
                    self._close_before(row)
                    if self._coverage:
                        tile = np.concatenate((tile, np.ones_like(tile[:1])))
                    self._blender.add(row, column, tile)
            if work.opened:
                # A row is opened only after all tiles of those above it were sent.
                self._close_before(max(work.opened))
        self._close_before(self._count)

    def _close_before(self, row: int) -> None:
        while self._row < row:
            self._emit(self._blender.finish(self._row), self._validity.pop(self._row))
            self._row += 1
