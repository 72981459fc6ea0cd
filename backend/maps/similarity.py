"""Write the similarity of every place to some points: the cosine between their tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.core.arrays import BoolArray, DoubleArray, FloatArray, IndexArray
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.maps.embeddings import send_tokens, token_plan
from backend.maps.emit import asked_patches, cell_factors, check_block, masked, output_paths, patch_grid, to_pixels
from backend.maps.request import MapContext, Request
from backend.maps.run import Run, start_run
from backend.maps.scene import Scene
from backend.output.sink import Layer, RasterSink
from backend.output.styles import ramp_qml
from backend.raster.grid import Grid
from backend.raster.resample import bilinear_taps, nearest_index
from backend.stream.tiling import TilePlan

MAX_POINTS = 100
LAYER = Layer("float32", math.nan, ["cosine similarity"])
Point = tuple[float, float]


def similarity(
    request: Request,
    points: Sequence[Point],
    block: int = -1,
    grid: str = "input",
    context: MapContext | None = None,
) -> dict[str, Any]:
    """Write the cosine similarity of every place to the point that it is most similar to, float32 -1 to 1, NaN nodata.

    With several points each is an example of what is looked for, and a place needs to be like one of them, not like
    their average: points on calm and on rough water find both. So every point itself has 1.

    Args:
        request: Input, outputs and options of the run.
        points: x, y in the raster's CRS.
        block: Transformer block from 0; negative from the end.
        grid: "input" for the raster's pixels, whose tokens are interpolated between patches; "patch" for a pixel a
            patch, in register with the raster.
        context: Reporter, cancel and models.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: As for `embed`; also where no point lies on a valid pixel.
    """
    check_points(points)
    with start_run(request, "similarity", output_paths(request), context) as run:
        scene, card = run.scene, run.card
        check_block(card, block)
        plan, per_pixel = token_plan(scene, card), grid == "input"
        pixels = pixels_of(scene, points, run.context.reporter)
        references = _references(run, plan, block, pixels, per_pixel)
        sink = run.outputs.sink("output", LAYER, None if per_pixel else patch_grid(scene, plan))

        def write(tokens: FloatArray, valid: BoolArray) -> None:
            sink.write(masked(best_cosine(tokens, references), valid))

        emit = (
            to_pixels(scene, plan, True, lambda _, s, v: write(s, v))
            if per_pixel
            else asked_patches(scene, plan, write)
        )
        send_tokens(run, plan, block, [emit])
        run.outputs.close()
        run.outputs.commit({"output": similarity_qml(sink)})
        return run.report(classes=[])


def check_points(points: Sequence[Point]) -> None:
    """Refuse no points, and too many."""
    if not 1 <= len(points) <= MAX_POINTS:
        raise InputError(
            f"{len(points)} points were given; possible are 1 to {MAX_POINTS}.", "Give some typical places, not all."
        )


def best_cosine(tokens: FloatArray, references: DoubleArray) -> FloatArray:
    """Return the cosine similarity of tokens to the nearest of some references.

    Computed in float64 and rounded to float32 once. BLAS adds products in an order that depends on the processor and
    on where arrays lie in memory; in float32 that shows in the last bits of the result, in float64 it doesn't, but
    for the rare value (about one of 10^8) that lies between two float32.

    Args:
        tokens: float32 [features, rows, columns].
        references: Vectors of length 1, float64 [points, features].

    Returns:
        float32 [1, rows, columns]; 0 where a token is all zeros.
    """
    flat = tokens.reshape(tokens.shape[0], -1).astype(np.float64)
    length = np.sqrt(np.einsum("dn,dn->n", flat, flat))
    best = (references @ flat).max(axis=0) / np.where(length > 0, length, 1.0)
    cosine: FloatArray = np.clip(best, -1, 1).astype(np.float32).reshape(1, *tokens.shape[1:])
    return cosine


def unit(vectors: FloatArray) -> DoubleArray:
    """Scale vectors [n, features] to length 1, in float64."""
    exact = vectors.astype(np.float64)
    scaled: DoubleArray = exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12)
    return scaled


def similarity_qml(sink: RasterSink) -> str:
    """Return a ramp that ends at 1, the point itself, so that similar places stand out even if they are rare."""
    return ramp_qml(sink.thumbnail(), top=1.0)


def cell_of(grid: Grid, point: Point) -> tuple[int, int] | None:
    """Return the row and column of the pixel of a grid in which a point (x, y) lies; None outside."""
    x, y = ~grid.transform * point
    if not math.isfinite(x + y):
        return None
    row, column = math.floor(y), math.floor(x)
    return (row, column) if 0 <= row < grid.height and 0 <= column < grid.width else None


def pixels_of(scene: Scene, points: Sequence[Point], reporter: Reporter) -> list[tuple[int, int]]:
    """Return row and column in the scene's source of points on valid pixels; others are left out with a warning.

    Raises:
        InputError: No point lies on a valid pixel.
    """
    found, reasons = [], []
    for point in points:
        pixel = cell_of(scene.grid, scene.in_grid(point))
        if pixel is None:
            reasons.append(f"The point {point[0]:.10g} {point[1]:.10g} lies outside the raster or the extent asked for")
            continue
        row, column = pixel[0] + scene.part.top, pixel[1] + scene.part.left
        if not scene.validity(row, row + 1)[0, column]:
            reasons.append(f"The point {point[0]:.10g} {point[1]:.10g} lies where the raster has no data")
        else:
            found.append((row, column))
    if not found:
        xmin, ymin, xmax, ymax = scene.grid.bounds()
        more = f" ({len(reasons)} points were given, none can be used)" if len(reasons) > 1 else ""
        raise InputError(
            f"{reasons[0]}{more}.",
            f"Give a point on a valid pixel, in the raster's own coordinates: {xmin:.10g} to {xmax:.10g}, "
            f"{ymin:.10g} to {ymax:.10g}.",
        )
    for reason in reasons:
        reporter.log("warning", f"{reason}; it is left out.")
    return found


@dataclass(frozen=True)
class _Taps:
    """Hold the patches from which a point's token is interpolated, with their weights."""

    rows: IndexArray
    columns: IndexArray
    down: FloatArray
    across: FloatArray


def _taps(scene: Scene, plan: TilePlan, pixel: tuple[int, int], per_pixel: bool) -> _Taps:
    cells, factors = plan.on_patches(), cell_factors(scene, plan, True)
    sizes = cells.rows.size, cells.columns.size
    at = [np.array([position]) for position in pixel]
    if per_pixel:  # as the `Enlarger` does, so that the point itself gets 1
        (rows, down), (columns, across) = (bilinear_taps(a, n, 1 / f) for a, n, f in zip(at, sizes, factors))
        return _Taps(rows[0], columns[0], down[0], across[0])
    rows, columns = (nearest_index(a, n, 1 / f) for a, n, f in zip(at, sizes, factors))
    whole = np.ones(1, dtype=np.float32)
    return _Taps(rows, columns, whole, whole)


def _references(run: Run, plan: TilePlan, block: int, pixels: list[tuple[int, int]], per_pixel: bool) -> DoubleArray:
    """Return the unit tokens [points, features] of some pixels, from the few tiles that cover them."""
    taps = [_taps(run.scene, plan, pixel, per_pixel) for pixel in pixels]
    patches = {(int(r), int(c)) for tap in taps for r in tap.rows for c in tap.columns}
    found: dict[tuple[int, int], FloatArray] = {}
    top = 0

    def collect(rows: FloatArray, _: BoolArray) -> None:
        nonlocal top
        for row, column in patches:
            if top <= row < top + rows.shape[1] and rows[-1, row - top, column] > 0:
                cell = rows[:, row - top, column]
                found[row, column] = cell[:-1] / cell[-1]
        top += rows.shape[1]

    send_tokens(run, plan, block, [collect], only=tiles_over(plan.on_patches(), patches))
    tokens = []
    for tap in taps:
        parts = [
            found[int(r), int(c)] * (a * b)
            for r, a in zip(tap.rows, tap.down)
            for c, b in zip(tap.columns, tap.across)
            if (int(r), int(c)) in found
        ]
        tokens.append(np.sum(parts, axis=0))
    return unit(np.stack(tokens).astype(np.float32))


def tiles_over(cells: TilePlan, places: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the indices (row, column) of the tiles that cover any of some cells."""

    def over(origins: tuple[int, ...], place: int) -> list[int]:
        return [index for index, origin in enumerate(origins) if origin <= place < origin + cells.tile]

    return {
        (i, j)
        for row, column in places
        for i in over(cells.rows.origins, row)
        for j in over(cells.columns.origins, column)
    }
