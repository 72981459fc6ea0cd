"""Turn the answers for tiles into rows of an output: on the raster's own pixels, or on the patches of the network."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Callable

import numpy as np
from affine import Affine

from backend.card.model_card import ModelCard
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.engines.answer import Answer
from backend.engines.device.choice import prepared_on_device
from backend.engines.job import Job
from backend.maps.extent import ValidCount, cropped
from backend.maps.request import Request
from backend.maps.run import Run
from backend.maps.scene import Scene
from backend.raster.grid import Grid
from backend.stream.several import Through
from backend.stream.tiles import Emit, TileJob, run_stream
from backend.stream.tiling import TilePlan
from backend.stream.upsample import Enlarger

# Called with nearest and smooth values float32 [channels, rows, width] of pixels, and their validity [rows, width].
Write = Callable[[FloatArray, FloatArray, BoolArray], None]
# Called with values float32 [channels, rows, columns] of patches, and their validity [rows, columns].
WritePatches = Callable[[FloatArray, BoolArray], None]


def send_tiles(run: Run, job: TileJob, answer: Answer, emit: Emit, through: Through | None = None) -> None:
    """Send the tiles of a run through the model.

    Args:
        run: Started.
        job: Tiles over the run's frame; with `coverage` where `emit` is of `to_patches` or an enlarging `to_pixels`.
        answer: Wanted outputs of the network.
        emit: As for `run_stream`.
        through: Function from the model to the one that the frame's tiles go through; the model itself if None.

    Raises:
        InputError: No pixel was valid.
        ResourceError: No engine that may be taken can run the model.
    """
    request, context = run.prepared.request, run.context
    wanted = Job(answer, job.fetch, context.cancel, context.reporter.log)
    # Reading a few tiles beforehand is no part of the run's progress.
    progress = {} if job.only is not None else {"progress": context.reporter.progress}
    with run.loaded.engines.runner(wanted) as (model, run.engine):
        asked = ValidCount(run.scene.part.in_cells(run.scene.factors), emit)
        whole = model if through is None else through(model)
        with prepared_on_device(run.loaded.device, run.scene.frame, job, context.reporter.log) as job:
            run_stream(run.scene.frame, job, whole, asked, context.cancel, **progress)
    if asked.valid == 0:
        raise InputError(
            f"{request.input} has no valid pixel in the bands and extent asked for.",
            "Check the nodata value, the units, the bands and the extent.",
        )


def send_pixels(
    run: Run,
    job: TileJob,
    answer: Answer,
    write: Write,
    through: Through | None = None,
    turned: Callable[[Emit], Emit] = lambda emit: emit,
) -> None:
    """Send the tiles of a run through the model, and write what it answers on the raster's own pixels.

    Args:
        run: Started.
        job: Tiles over the run's frame.
        answer: Wanted outputs of the network.
        write: Gets the rows.
        through: As for `send_tiles`.
        turned: Given what takes blended rows, returns what changes them first.
    """
    scaled = cell_factors(run.scene, job.plan, job.per_patch) != (1.0, 1.0)
    if scaled:
        emit = to_pixels(run.scene, job.plan, job.per_patch, write)
    else:
        emit = cropped(run.scene.part, lambda rows, valid: write(rows, rows, valid))
    send_tiles(run, replace(job, coverage=scaled), answer, turned(emit), through)


def to_pixels(scene: Scene, plan: TilePlan, per_patch: bool, write: Write) -> Emit:
    """Return rows resampled to the raster's own pixels by an `Enlarger`: of patches, or of the model's pixels."""
    cells = plan.on_patches() if per_patch else plan
    grid, hand_on = scene.source.grid, cropped(scene.part, write)
    enlarger = Enlarger(
        (cells.rows.size, cells.columns.size), (grid.height, grid.width), cell_factors(scene, plan, per_patch)
    )

    def emit(rows: FloatArray, _: BoolArray) -> None:
        for piece in enlarger.push(rows):
            hand_on(piece.nearest, piece.smooth, scene.validity(piece.top, piece.bottom))

    return emit


def asked_patches(scene: Scene, plan: TilePlan, write: WritePatches) -> Emit:
    """Return rows as `to_patches` does, of the patches that the request touches only."""
    return to_patches(plan, cropped(scene.part.in_cells(cell_factors(scene, plan, per_patch=True)), write))


def to_patches(plan: TilePlan, write: WritePatches) -> Emit:
    """Return the rows of patches as they are; a patch is valid where one of its pixels is."""

    def emit(rows: FloatArray, valid: BoolArray) -> None:
        weight, patch = rows[-1], plan.patch
        there = np.zeros((weight.shape[0] * patch, weight.shape[1] * patch), dtype=np.bool_)
        there[: valid.shape[0], : valid.shape[1]] = valid
        any_valid = there.reshape(weight.shape[0], patch, weight.shape[1], patch).any(axis=(1, 3)) & (weight > 0)
        write(rows[:-1] / np.where(weight > 0, weight, np.float32(1)), any_valid)

    return emit


def cell_factors(scene: Scene, plan: TilePlan, per_patch: bool) -> tuple[float, float]:
    """Return the number of raster pixels per cell of the model's answer, down and across."""
    size = plan.patch if per_patch else 1
    return scene.factors[0] * size, scene.factors[1] * size


def patch_grid(scene: Scene, plan: TilePlan) -> Grid:
    """Return a grid with one pixel for each patch that the request touches: same CRS, same corners as the raster.

    The last row and column reach past the raster where it doesn't hold a whole number of patches.
    """
    down, across = cell_factors(scene, plan, per_patch=True)
    cells, grid = plan.on_patches(), scene.source.grid
    every = Grid(grid.crs, grid.transform * Affine.scale(across, down), cells.columns.size, cells.rows.size)
    return scene.part.in_cells((down, across)).of(every)


def check_block(card: ModelCard, block: int) -> None:
    """Refuse a transformer block that the model hasn't got."""
    if not -card.arch.depth <= block < card.arch.depth:
        raise InputError(
            f"There is no block {block}; the model has {card.arch.depth}, counted from 0.",
            "Use -1 for the last block.",
        )


def output_paths(request: Request, **more: Path | None) -> dict[str, Path]:
    """Return the paths by role, of the main output and of the others that are requested."""
    return {"output": request.output, **{role: path for role, path in more.items() if path is not None}}


def masked(values: FloatArray, valid: BoolArray) -> FloatArray:
    """Return the values float32 [channels, rows, columns], NaN where not valid [rows, columns]."""
    result: FloatArray = np.where(valid, values, np.float32(math.nan))
    return result
