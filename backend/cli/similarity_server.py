"""Answer similarity queries from cached embeddings: the first of a scene takes seconds, later ones milliseconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.cli.similarity_query import Query, holds, region
from backend.core.arrays import BoolArray, FloatArray
from backend.core.cancel import Cancel
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.grd.container import is_product
from backend.maps.embeddings import send_tokens, token_plan
from backend.maps.emit import asked_patches, masked, patch_grid
from backend.maps.load import ModelCache
from backend.maps.request import MapContext, Request
from backend.maps.run import start_run
from backend.maps.scene import check_inputs
from backend.maps.similarity import LAYER, best_cosine, cell_of, check_points, similarity_qml, unit
from backend.output.names import claim_outputs
from backend.output.raster_set import add_style
from backend.output.sink import RasterSink
from backend.raster.behind import stamps
from backend.raster.grid import Grid
from backend.raster.resample import scale_factor
from backend.raster.source import RasterSource, gdal_environment

# Scenes kept: of 192 features and patches of 8 pixels, 25 MB each.
KEPT = 4


@dataclass(frozen=True)
class _Scene:
    """Hold the tokens of a part of a raster: float32 [features, rows, columns], and their grids."""

    key: tuple[object, ...]
    tokens: FloatArray
    valid: BoolArray
    pixels: Grid
    cells: Grid
    facts: dict[str, str]
    tags: dict[str, str]


class SimilarityServer:
    """Answer queries and cache the tokens of the last scenes.

    Args:
        device: As for `Request`.
        cancel: Ends the query.
        models: As for `MapContext`.
    """

    def __init__(self, device: str, cancel: Cancel, models: ModelCache | None = None) -> None:
        self._device, self._cancel, self._models = device, cancel, models or ModelCache()
        self._scenes: list[_Scene] = []

    def answer(self, query: Query, reporter: Reporter) -> None:
        """Write the similarity layer, a pixel a patch, and report.

        Raises:
            SarDinoError: Refused or cancelled.
        """
        began = time.monotonic()
        check_points(query.points)
        with claim_outputs([query.output], [query.input], True, self._cancel), gdal_environment():
            scene = self._scene(query, reporter)
            _write(scene, query)
        reporter.result(
            {"outputs": {"output": str(query.output)}, "seconds": round(time.monotonic() - began, 3), **scene.facts}
        )

    def _scene(self, query: Query, reporter: Reporter) -> _Scene:
        """Return the tokens for a query, from the cache if possible."""
        _refuse_product(query.input)
        folder = model_folder(query.model)
        card = ModelCard.load(folder / CARD)
        part, files = _part(query, card)
        key = (query.input, stamps(query.input, files), query.bands, query.units, card.weights_sha256)
        scene = self._taken(key, part, query)
        if scene is None:
            if not holds(part, query.points):
                raise InputError(
                    "The points lie too far apart to be embedded together.",
                    "Choose points nearer to each other, or zoom out until all are in view.",
                )
            # Before the new scene is read, so that no more than KEPT are held at any time.
            del self._scenes[KEPT - 1 :]
            request = Request(
                input=query.input, output=query.output, model=folder, bands=query.bands, units=query.units,
                extent=part.bounds(), device=self._device,
            )  # fmt: skip
            scene = _embedded(request, MapContext(reporter, self._cancel, self._models), key)
        self._scenes.insert(0, scene)
        return scene

    def _taken(self, key: tuple[object, ...], part: Grid, query: Query) -> _Scene | None:
        """Remove and return a cached scene that holds all points and is at least as large as the part."""
        for scene in self._scenes:
            large_enough = scene.pixels.width * scene.pixels.height >= part.width * part.height
            if scene.key == key and large_enough and holds(scene.pixels, query.points):
                self._scenes.remove(scene)
                return scene
        return None


def _refuse_product(path: str) -> None:
    check_inputs([path])
    if is_product(path):
        raise InputError(
            f"{path} is a Sentinel-1 product as downloaded; calibrating it takes minutes.",
            "Calibrate it first (in QGIS: Calibrate Sentinel-1 GRD), and select the result.",
        )


def _part(query: Query, card: ModelCard) -> tuple[Grid, tuple[str, ...]]:
    """Choose the part of the raster to embed for a query; return it, and the files of the raster as GDAL lists them."""
    names = [band.name for band in card.bands]
    with RasterSource(query.input, query.bands, None, names, allows_missing=card.allows_missing_bands) as source:
        metres, grid, files = source.pixel_metres, source.grid, tuple(source.files)
    factors = [scale_factor(metre, card.gsd_m) for metre in metres] if metres else [1.0, 1.0]
    return region(grid, factors[0] * factors[1], query.view, query.points[0]), files


def _embedded(request: Request, context: MapContext, key: tuple[object, ...]) -> _Scene:
    rows, validity = [], []

    def keep(tokens: FloatArray, valid: BoolArray) -> None:
        rows.append(tokens)
        validity.append(valid)

    with start_run(request, "similarity", {}, context) as run:
        plan = token_plan(run.scene, run.card)
        send_tokens(run, plan, -1, [asked_patches(run.scene, plan, keep)])
        facts = {"model": run.card.name, "device": run.loaded.device_name}
        tokens, valid = np.concatenate(rows, axis=1), np.concatenate(validity)
        return _Scene(key, tokens, valid, run.scene.grid, patch_grid(run.scene, plan), facts, run.outputs.tags())


def _write(scene: _Scene, query: Query) -> None:
    found = []
    for point in query.points:
        cell = cell_of(scene.cells, point)
        if cell is None or not scene.valid[cell]:
            what = f"The point {point[0]:.10g} {point[1]:.10g} lies where the raster has no data."
            raise InputError(what, "Choose another place.")
        found.append(scene.tokens[:, cell[0], cell[1]])
    values = masked(best_cosine(scene.tokens, unit(np.stack(found))), scene.valid)
    sink = RasterSink(query.output, scene.cells, replace(LAYER, tags=scene.tags))
    try:
        sink.write(values)
        sink.finish()
        add_style(sink, similarity_qml(sink))
        sink.commit()
    finally:
        sink.discard()
