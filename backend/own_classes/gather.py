"""Find the pixels of samples in one or several scenes, and compute their features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

import numpy as np
from affine import Affine
from rasterio.warp import transform as transform_points

from backend.core.arrays import FloatArray, IntArray
from backend.core.errors import InputError
from backend.core.words import counted
from backend.engines.answer import block_tokens
from backend.engines.job import Job
from backend.graph.heads import tapped_blocks
from backend.graph.probe import probe_tile
from backend.maps.extent import Layout
from backend.maps.landcover import landcover_overlap
from backend.maps.prepare import prepare
from backend.maps.run import Run
from backend.own_classes.arch import own_arch
from backend.own_classes.features import FeatureTable, gather_features, joined, tiles_of
from backend.own_classes.labelled import usable
from backend.own_classes.pixels import TOTAL, SamplePixels, find_pixels
from backend.own_classes.samples import Sample, Samples, read_samples
from backend.raster.errors import RASTER_ERRORS
from backend.stream.tiling import TilePlan, plan_tiles

# Rows by which scenes are moved apart that have no place in the first one's coordinate system.
APART = 2**40


@dataclass(frozen=True)
class Place:
    """Hold a scene with the samples that fall in it.

    Attributes:
        run: The scene, opened.
        samples: All samples, in the scene's coordinates.
        pixels: Pixels of the samples within the scene's frame.
        plan: Tiles over the frame.
    """

    run: Run
    samples: tuple[Sample, ...]
    pixels: SamplePixels
    plan: TilePlan

    @property
    def transform(self) -> Affine:
        """Return the transform from (column, row) of the frame, in pixels of the model's size, to coordinates."""
        down, across = self.run.scene.factors
        return self.run.scene.source.grid.transform * Affine.scale(across, down)

    @property
    def tiles(self) -> int:
        """Return the number of tiles that will be read."""
        return len(tiles_of(self.pixels, self.plan))


@dataclass(frozen=True)
class Gathered:
    """Hold the pixels that classes are learnt from.

    Attributes:
        pixels: Pixels of samples on the first scene's grid, [n]: those of one place on the ground are near each other,
            whatever scene they come from.
        table: Features of each.
        seen: Tokens [channels, rows, columns] of the tile with known answers.
        places: Scenes that have pixels.
    """

    pixels: SamplePixels
    table: FeatureTable
    seen: FloatArray
    places: Sequence[Place]


@contextmanager
def open_scenes(session: Run, inputs: Sequence[str]) -> Iterator[list[Run]]:
    """Open further scenes for the model of a session; yield all, the session's own first.

    Args:
        session: The first scene.
        inputs: Rasters, patterns or products, each read as the first one is.

    Raises:
        InputError: One can't be read, or an extent was asked for, which is that of one scene.
    """
    request, context = session.prepared.request, session.context
    if inputs and request.extent is not None:
        raise InputError(
            "An extent belongs to one scene, and several are given.", "Leave it out; only tiles with samples are read."
        )
    with ExitStack() as stack:
        runs = [session]
        for each in inputs:
            prepared = stack.enter_context(prepare(replace(request, input=each, further=()), context, "train", {}))
            runs.append(replace(session, prepared=prepared))
        yield runs


def place_samples(runs: Sequence[Run], path: Path, field: str) -> tuple[Samples, list[Place]]:
    """Find the pixels of all samples in each scene.

    Args:
        runs: Scenes.
        path: Samples (GeoJSON).
        field: Property that holds the class.

    Raises:
        InputError: The samples can't be read, or none lies in a scene.
    """
    several, places = len(runs) > 1, []
    for run in runs:
        scene, card = run.scene, run.card
        samples = read_samples(path, field, scene.source.grid.crs, elsewhere=several)
        overlap = landcover_overlap(card.tile, card.patch, own_arch(card.arch).reach)
        scene.widen(Layout(card.tile, card.tile - overlap, card.patch))
        frame = scene.frame
        plan = plan_tiles(frame.height, frame.width, card.tile, overlap, card.patch)
        empty = SamplePixels(*(np.empty(0, np.int64),) * 3)
        place = Place(run, samples.items, empty, plan)
        found = find_pixels(samples.items, place.transform, frame.height, frame.width, total=TOTAL // len(runs))
        places.append(replace(place, pixels=found.take(found.inside(scene.part.in_cells(scene.factors)))))
    if not any(len(place.pixels) for place in places):
        where = f"{runs[0].prepared.request.input} (or the extent asked for)"
        raise InputError(
            f"No sample lies within any of the {len(runs)} scenes." if several else f"No sample lies within {where}.",
            "Check the coordinate systems of samples and raster.",
        )
    return samples, places


def gather(samples: Samples, places: Sequence[Place], progress: Callable[[int], None]) -> Gathered:
    """Compute the features of the samples' pixels in each scene, and leave out what can't be learnt from.

    Args:
        samples: All samples.
        places: Result of `place_samples`.
        progress: Called with the tiles done, of all scenes together.
    """
    log, done = places[0].run.context.reporter.log, 0
    parts: list[tuple[SamplePixels, FeatureTable]] = []
    seen, contested, kept = np.empty(0, np.float32), 0, []
    for place in places:
        if not len(place.pixels):
            log("warning", f"No sample lies within {place.run.scene.name}: it is not used.")
            continue
        table, tokens = _features(place, lambda count, before=done: progress(before + count))  # type: ignore[misc]
        seen = seen if seen.size else tokens
        done += place.tiles
        frame = place.run.scene.frame
        which, mixed = usable(place.samples, place.pixels, table.valid, (place.transform, frame.height, frame.width))
        contested += mixed
        used = place.pixels.take(which)
        if len(places) > 1:
            number = counted(len(np.unique(used.sample)), "sample")
            log("info", f"{place.run.scene.name}: {number}, {counted(len(used), 'pixel')}")
        parts.append((_on_grid_of(places[0], place, used, len(parts)), table.take(which)))
        kept.append(place)
    pixels = SamplePixels(
        *(np.concatenate([getattr(each, name) for each, _ in parts]) for name in ("rows", "columns", "sample"))
    )
    if contested:
        log("warning", f"{contested} pixels are left out: samples of two classes cover them.")
    left_out = len(samples.items) - len(np.unique(pixels.sample))
    if left_out:
        outside = "outside the raster" if len(places) == 1 else "outside all scenes"
        log(
            "warning",
            f"{left_out} of {len(samples.items)} samples are left out: {outside}, on pixels without data, or on "
            "pixels of another sample.",
        )
    return Gathered(pixels, joined([table for _, table in parts]), seen, kept)


def _features(place: Place, progress: Callable[[int], None]) -> tuple[FeatureTable, FloatArray]:
    """Return the features of a scene's pixels, and the tokens of the tile with known answers."""
    run, card = place.run, place.run.card
    context, engines = run.context, run.loaded.engines
    answer = block_tokens(card.arch, *tapped_blocks(own_arch(card.arch)))
    with engines.runner(Job(answer, True, context.cancel, context.reporter.log)) as (ask, run.engine):
        table = gather_features(ask, run.scene.frame, place.plan, place.pixels, run.loaded.batch, progress)
        return table, next(iter(ask(probe_tile(len(card.bands), card.tile))))


def _on_grid_of(first: Place, place: Place, pixels: SamplePixels, number: int) -> SamplePixels:
    """Return pixels of a scene as pixels of the first scene's grid; apart from all where that has no such place."""
    if place is first:
        return pixels
    x, y = _apply(place.transform, pixels.columns + 0.5, pixels.rows + 0.5)
    own, wanted = place.run.scene.source.grid.crs, first.run.scene.source.grid.crs
    try:
        if own is not None and wanted is not None and own != wanted:
            x, y = (np.array(each) for each in transform_points(own, wanted, x.tolist(), y.tolist()))
    except RASTER_ERRORS:
        x = np.full(len(pixels), np.nan)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return replace(pixels, rows=pixels.rows + number * APART)
    columns, rows = _apply(~first.transform, x, y)
    return replace(pixels, rows=_whole(rows), columns=_whole(columns))


def _apply(to: Affine, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    return to.a * x + to.b * y + to.c, to.d * x + to.e * y + to.f


def _whole(values: FloatArray) -> IntArray:
    result: IntArray = np.floor(np.clip(values, -APART, APART)).astype(np.int64)
    return result
