"""Questions about similarity, answered from tokens that are kept: the first takes seconds, others milliseconds."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.arrays import BoolArray, FloatArray
from backend.core.cancel import Cancel
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.grd.container import is_product, refuse_part
from backend.maps.embeddings import send_tokens, token_plan
from backend.maps.emit import masked, patch_grid, to_patches
from backend.maps.load import ModelCache
from backend.maps.request import Context, Request
from backend.maps.run import start_run
from backend.maps.similarity import LAYER, best_cosine, cell_of, check_points, similarity_qml, unit
from backend.radiometry.convert import Units
from backend.raster.grid import Grid
from backend.raster.output_names import check_output
from backend.raster.resample import scale_factor
from backend.raster.sink import RasterSink
from backend.raster.source import RasterSource, gdal_environment
from backend.raster.styles import aux_xml, date_now

# Most pixels of the model's size that are looked at for one question; `benchmarks.speed.clicks` measures the seconds.
MOST_PIXELS = 2**21
# Scenes kept: of 192 features and patches of 8 pixels, 25 MB each.
KEPT = 4


@dataclass(frozen=True)
class Question:
    """Which points of which raster, and where the answer goes.

    Attributes:
        input: Raster.
        points: x, y in the raster's CRS.
        output: GeoTIFF to write; an older one is replaced.
        view: xmin, ymin, xmax, ymax of what the user sees, in the raster's CRS; of use where the raster is large.
        bands: As for `Request`; so are units and model.
        units: Unit of the raster's values.
        model: Name or folder.
    """

    input: str
    points: tuple[tuple[float, float], ...]
    output: Path
    view: tuple[float, float, float, float] | None = None
    bands: tuple[int, ...] | None = None
    units: Units = Units.AUTO
    model: str | None = None

    @staticmethod
    def parse(line: bytes) -> Question:
        """Check and build; InputError on anything unexpected."""
        try:
            data = json.loads(line)
            view, bands, model = (data.pop(name, None) for name in ("view", "bands", "model"))
            question = Question(
                input=str(data.pop("input")),
                points=tuple((float(x), float(y)) for x, y in data.pop("points")),
                output=Path(str(data.pop("output"))),
                view=_four(view) if view is not None else None,
                bands=tuple(int(band) for band in bands) if bands is not None else None,
                units=Units(data.pop("units", Units.AUTO.value)),
                model=str(model) if model is not None else None,
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            what = f"{type(error).__name__}: {error}"
            hint = "Send one JSON object a line, with input, points and output."
            raise InputError(f"This is no question ({what}).", hint) from error
        if data:
            raise InputError(f"A question has no {', '.join(sorted(data))}.", "Leave that out.")
        return question


def _four(values: Sequence[Any]) -> tuple[float, float, float, float]:
    xmin, ymin, xmax, ymax = (float(value) for value in values)
    return xmin, ymin, xmax, ymax


@dataclass(frozen=True)
class _Scene:
    """The tokens of a part of a raster: float32 [features, rows, columns], and where they lie."""

    key: tuple[object, ...]
    tokens: FloatArray
    valid: BoolArray
    pixels: Grid
    cells: Grid
    facts: dict[str, str]
    tags: dict[str, str]


class Oracle:
    """Answers questions, and keeps the tokens of the scenes that it was last asked about.

    Args:
        device: As for `Request`.
        cancel: Ends a run.
        models: As for `Context`.
    """

    def __init__(self, device: str, cancel: Cancel, models: ModelCache | None = None) -> None:
        self._device, self._cancel, self._models = device, cancel, models or ModelCache()
        self._scenes: list[_Scene] = []

    def answer(self, question: Question, reporter: Reporter) -> None:
        """Write the similarity layer, a pixel a patch, and report.

        Raises:
            SarDinoError: Refused or cancelled.
        """
        began = time.monotonic()
        check_points(question.points)
        check_output(question.output, question.input, overwrite=True)
        with gdal_environment():
            scene = self._scene(question, reporter)
            self._write(scene, question)
        reporter.result(
            {"outputs": {"output": str(question.output)}, "seconds": round(time.monotonic() - began, 3), **scene.facts}
        )

    def _scene(self, question: Question, reporter: Reporter) -> _Scene:
        refuse_part(question.input)
        if is_product(question.input):
            raise InputError(
                f"{question.input} is a Sentinel-1 product as downloaded, which takes minutes to calibrate.",
                "Calibrate it first (in QGIS: Calibrate Sentinel-1 GRD), and select the result.",
            )
        folder = model_folder(question.model)
        card = ModelCard.load(folder / CARD)
        names = [band.name for band in card.bands]
        bears = card.bears_missing_bands
        with RasterSource(question.input, question.bands, None, names, bears_missing=bears) as source:
            metres, grid = source.pixel_metres, source.grid
        factors = [scale_factor(metre, card.gsd_m) for metre in metres] if metres else [1.0, 1.0]
        part = region(grid, factors[0] * factors[1], question.view, question.points[0])
        key: tuple[object, ...] = (
            question.input,
            _stamp(question.input),
            question.bands,
            question.units,
            card.weights_sha256,
        )
        for scene in self._scenes:
            large_enough = scene.pixels.width * scene.pixels.height >= part.width * part.height
            if scene.key == key and large_enough and holds(scene.pixels, question.points):
                self._scenes.remove(scene)
                break
        else:
            if not holds(part, question.points):
                raise InputError(
                    "The points lie too far apart to be looked at together.",
                    "Choose points nearer to each other, or zoom out until all are in view.",
                )
            request = Request(
                input=question.input,
                output=question.output,
                model=folder,
                bands=question.bands,
                units=question.units,
                extent=part.bounds(),
                device=self._device,
            )
            # Room is made first: there is never more than KEPT of them.
            del self._scenes[KEPT - 1 :]
            scene = _look(request, Context(reporter, self._cancel, self._models), key)
        self._scenes.insert(0, scene)
        return scene

    def _write(self, scene: _Scene, question: Question) -> None:
        found = []
        for point in question.points:
            cell = cell_of(scene.cells, point)
            if cell is None or not scene.valid[cell]:
                what = f"The point {point[0]:.10g} {point[1]:.10g} lies where the raster has no data."
                raise InputError(what, "Choose another place.")
            found.append(scene.tokens[:, cell[0], cell[1]])
        values = masked(best_cosine(scene.tokens, unit(np.stack(found))), scene.valid)
        sink = RasterSink(question.output, scene.cells, replace(LAYER, tags=scene.tags))
        try:
            sink.write(values)
            sink.finish()
            sink.add_sidecar(".qml", similarity_qml(sink))
            sink.add_sidecar(".aux.xml", aux_xml((), date_now()))
            sink.commit()
        finally:
            sink.discard()


def _look(request: Request, context: Context, key: tuple[object, ...]) -> _Scene:
    rows, validity = [], []

    def keep(tokens: FloatArray, valid: BoolArray) -> None:
        rows.append(tokens)
        validity.append(valid)

    with start_run(request, "similarity", {}, context) as run:
        plan = token_plan(run.scene, run.card)
        send_tokens(run, plan, -1, [to_patches(plan, keep)])
        facts = {"model": run.card.name, "device": run.loaded.device_name}
        tokens, valid = np.concatenate(rows, axis=1), np.concatenate(validity)
        return _Scene(key, tokens, valid, run.scene.source.grid, patch_grid(run.scene, plan), facts, run.outputs.tags())


def region(grid: Grid, factor: float, view: Sequence[float] | None, point: tuple[float, float]) -> Grid:
    """The part of a raster that is looked at: all, else what is in view, else a square about a point.

    Args:
        grid: The raster's.
        factor: Raster pixels in a pixel of the model's size.
        view: xmin, ymin, xmax, ymax in the raster's CRS, if known.
        point: x, y in the raster's CRS.

    Raises:
        InputError: The point lies outside the raster.
    """
    at = cell_of(grid, point)
    if at is None:
        raise InputError(f"The point {point[0]:.10g} {point[1]:.10g} lies outside the raster.", "Choose another place.")
    most = MOST_PIXELS * factor
    if grid.width * grid.height <= most:
        return grid
    if view is not None and view[0] <= point[0] <= view[2] and view[1] <= point[1] <= view[3]:
        seen = grid.offset(*grid.window(view))
        if seen.width * seen.height <= most:
            return seen
    side = math.isqrt(int(most))
    height, width = min(grid.height, side), min(grid.width, side)
    top, left = (
        max(0, min(a - n // 2, full - n)) for a, n, full in zip(at, (height, width), (grid.height, grid.width))
    )
    return grid.offset(top, left, height, width)


def holds(grid: Grid, points: Sequence[tuple[float, float]]) -> bool:
    """Whether all points (x, y) lie on a grid."""
    return all(cell_of(grid, point) for point in points)


def _stamp(path: str) -> tuple[int, int] | None:
    """What changes when a file does."""
    try:
        found = os.stat(path)
    except OSError:
        return None  # a name that only GDAL understands
    return found.st_mtime_ns, found.st_size
