"""Write land cover: the class of every pixel, its confidence, and the probability of every class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.card.colours import rgb
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.engines.answer import CLASS_PROBABILITIES
from backend.engines.device.choice import decides_on_device
from backend.maps.eight_bits import check_bits, share_code
from backend.maps.emit import cell_factors, masked, output_paths, send_pixels, send_tiles
from backend.maps.extent import Layout, cropped
from backend.maps.request import MapContext, Request
from backend.maps.run import Run, start_run
from backend.maps.uncertainty import MEASURES, entropy, margin
from backend.output.sink import Layer
from backend.output.styles import paletted_qml, share_qml
from backend.stream.blend import RowBlender
from backend.stream.decision import choosing, decision
from backend.stream.disagreement import SquaringBlender, disagreeing
from backend.stream.several import joining
from backend.stream.surroundings import REACH, Surroundings
from backend.stream.tiles import Blender, TileJob
from backend.stream.tiling import TilePlan, plan_tiles

# Further outputs of `landcover` than map, confidence and probabilities, each with its name as a band.
FURTHER = {"agreement": "agreement of dates", **MEASURES}
# Those that are computed from the classes alone.
OF_CLASSES = frozenset({"surroundings"})
# Most pixels that go through the model, for each pixel of the raster.
REDUNDANCY = 1.35
# Pixels of a class map, of a byte each, that are coded and counted at once: as many as a processor's cache holds.
AT_ONCE = 2**17


def landcover(
    request: Request,
    confidence: Path | None = None,
    probabilities: Path | None = None,
    context: MapContext | None = None,
    further: Mapping[str, Path | None] | None = None,
    bits: int = 32,
) -> dict[str, Any]:
    """Write a map of classes, uint8 with 0 for nodata, in the legend of the model's card.

    Of several dates each goes through the model, and the class is that of all: see `backend.stream.several`.

    Args:
        request: Input, outputs and options of the run.
        confidence: Also write the probability of the class, float32 0 to 1, NaN for nodata.
        probabilities: Also write the probability of every class, one band each.
        context: Reporter, cancel and models.
        further: Also write these of FURTHER, float32 0 to 1, NaN for nodata.
        bits: Bits of confidence and probabilities: 32, or 8 for bytes with a scale, 255 for nodata.

    Returns:
        The facts of the result event: outputs, classes with their pixel counts, device, seconds, model.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    check_bits(bits)
    wanted = {role: path for role, path in (further or {}).items() if path is not None}
    if "agreement" in wanted and not request.dates:
        raise InputError("Agreement compares several dates, and there is only one.", "Add --date, or leave it out.")
    paths = output_paths(request, confidence=confidence, probabilities=probabilities, **wanted)
    with start_run(request, "landcover", paths, context) as run:
        card = run.card
        overlap = landcover_overlap(card.tile, card.patch, card.arch.reach)
        run.scene.widen(Layout(card.tile, card.tile - overlap, card.patch))
        frame = run.scene.frame
        plan = plan_tiles(frame.height, frame.width, card.tile, overlap, card.patch)
        writer = _Writer(run, bits)
        _send(run, plan, writer)
        writer.finish()
        run.outputs.close()
        run.outputs.commit({**dict.fromkeys(paths, share_qml()), "output": paletted_qml(card.classes)}, card.classes)
        return run.report(classes=writer.classes(), **_dates(run))


def _send(run: Run, plan: TilePlan, writer: _Writer) -> None:
    """Send the tiles of a plan through the model, and what comes of them to the writer."""
    classes, paths, dates = run.card.classes, run.prepared.paths, 1 + len(run.scene.dates)
    votes = decision(classes) if "agreement" in paths else None
    through = joining(len(run.card.bands), votes) if dates > 1 else None
    job = TileJob(plan, len(classes) * (2 if votes else 1), max(1, run.loaded.batch // dates))
    whole = "probabilities" in paths or not (FURTHER.keys() - OF_CLASSES).isdisjoint(paths)
    if not whole and cell_factors(run.scene, plan, per_patch=False) == (1.0, 1.0):
        # Nothing is resampled after it: classes are chosen as soon as sums are final, where they lie.
        on_device = decides_on_device(run.loaded.device) and through is None
        job = replace(job, blender=_deciding(run, "confidence" in paths, on_device), fetch=not on_device)
        write = writer.write_classes if on_device else writer.write_decided
        send_tiles(run, job, CLASS_PROBABILITIES, cropped(run.scene.part, write), through)
    elif "disagreement" in paths:
        if len(plan) == 1:
            run.context.reporter.log("warning", "The raster lies in one tile: no tiles overlap that could disagree.")
        job = replace(job, channels=job.channels + 1, blender=partial(SquaringBlender, squared=len(classes)))
        turned = partial(disagreeing, plan, len(classes), job.channels)
        send_pixels(run, job, CLASS_PROBABILITIES, writer.write, through, turned)
    else:
        send_pixels(run, job, CLASS_PROBABILITIES, writer.write, through)


def _dates(run: Run) -> dict[str, Any]:
    """Return the facts of the result about several dates."""
    if not run.scene.dates:
        return {}
    return {"dates": [span.text if span else None for span in run.scene.spans]}


class _Writer:
    """Write rows to the outputs of a run, and count the pixels of each class.

    Args:
        run: Started.
        bits: Bits of probabilities.
    """

    def __init__(self, run: Run, bits: int) -> None:
        classes = run.card.classes
        self._codes = {"confidence": share_code(), "probabilities": share_code(len(classes))} if bits == 8 else {}
        layers = {
            "output": Layer("uint8", 0, ["land cover"], {item.value: rgb(item.color) for item in classes}),
            "confidence": Layer("float32", math.nan, ["confidence"]),
            "probabilities": Layer("float32", math.nan, [item.name for item in classes]),
            **{role: Layer("float32", math.nan, [name]) for role, name in FURTHER.items()},
        }
        layers |= {role: code.layer(layers[role].descriptions) for role, code in self._codes.items()}
        paths = run.prepared.paths
        self._sinks = {role: run.outputs.sink(role, layer) for role, layer in layers.items() if role in paths}
        self._classes, self._decide = classes, decision(classes)
        self._values = np.array([item.value for item in classes], dtype=np.uint8)
        self._counts = np.zeros(256, dtype=np.int64)
        down, across = (max(1, round(REACH * factor)) for factor in run.scene.factors)
        self._around = Surroundings((down, across), partial(self._write, "surroundings"))

    def write(self, nearest: FloatArray, smooth: FloatArray, valid: BoolArray) -> None:
        """Write rows of probabilities float32 [K, rows, width], resampled by either method.

        The disagreement of tiles may follow; it isn't known everywhere, and so can't be interpolated. Then votes of
        dates may follow, [K, rows, width].
        """
        count, after = len(self._classes), len(self._classes)
        if "disagreement" in self._sinks:
            self._write("disagreement", nearest[count : count + 1], valid)
            after += 1
        nearest, votes, smooth = nearest[:count], smooth[after:], smooth[:count]
        best = self._decide(nearest)
        self._record(best, valid)
        for role, values in (("confidence", smooth), ("agreement", votes)):
            if role in self._sinks:
                # The written class counts: in smoothly resampled probabilities another one may be the likeliest.
                self._write(role, np.take_along_axis(values, best[None], axis=0), valid)
        self._write("probabilities", smooth, valid)
        for role, measure in (("margin", margin), ("entropy", entropy)):
            if role in self._sinks:
                # The probabilities that decided the class count: a class map and its margin belong together.
                self._write(role, measure(nearest, self._classes)[None], valid)

    def write_decided(self, rows: NDArray[Any], valid: BoolArray) -> None:
        """Write rows of class indices, and of their probabilities where these are wanted, [1 or 2, rows, width]."""
        self._record(rows[0], valid)
        self._write("confidence", rows[1:], valid)

    def finish(self) -> None:
        """Write rows that were held back in case others follow."""
        self._around.finish()

    def write_classes(self, rows: NDArray[Any], valid: BoolArray) -> None:
        """Write rows as `write_decided` does, of class values instead of indices."""
        self._put(rows[0].astype(np.uint8, copy=False) * valid)
        self._write("confidence", rows[1:], valid)

    def classes(self) -> list[dict[str, Any]]:
        """Return the legend with the pixels of each class."""
        counts = self._counts
        return [
            {"value": item.value, "name": item.name, "color": item.color, "pixels": int(counts[item.value])}
            for item in self._classes
        ]

    def _record(self, best: NDArray[Any], valid: BoolArray) -> None:
        chosen = np.empty(valid.shape, dtype=np.uint8)
        step = max(1, AT_ONCE // valid.shape[1])
        for top in range(0, len(chosen), step):
            part = slice(top, top + step)
            indices = best[part].astype(np.uint8, copy=False)
            np.multiply(np.take(self._values, indices, mode="clip"), valid[part], out=chosen[part])
        self._put(chosen)

    def _put(self, chosen: NDArray[np.uint8]) -> None:
        step = max(1, AT_ONCE // chosen.shape[1])
        for top in range(0, len(chosen), step):
            for value in self._values:
                self._counts[value] += np.count_nonzero(chosen[top : top + step] == value)
        self._sinks["output"].write(chosen[None])
        if "surroundings" in self._sinks:
            self._around.push(chosen)

    def _write(self, role: str, values: FloatArray, valid: BoolArray) -> None:
        if role in self._sinks:
            code = self._codes.get(role)
            self._sinks[role].write(code.encode(values, valid) if code else masked(values, valid))


def _deciding(run: Run, confidence: bool, on_device: bool) -> Callable[[TilePlan, int], Blender]:
    if not on_device:
        return partial(RowBlender, reduce=choosing(run.card.classes, confidence))
    from backend.engines.device.blend import DeviceBlender, deciding

    return partial(DeviceBlender, device=run.loaded.device, reduce=deciding(run.card.classes, confidence))


def landcover_overlap(tile: int, patch: int, reach: int = 0) -> int:
    """Return the largest overlap, in whole patches and at least one, whose redundant work stays within REDUNDANCY.

    More, up to half a tile, where a head looks at `reach` pixels around each: windows are cut short at the edge of a
    tile, and must fade out there.
    """
    room = tile * (1 - 1 / math.sqrt(REDUNDANCY))
    wanted = min(math.ceil(reach / patch), tile // 2 // patch)
    return max(1, int(room // patch), wanted) * patch if tile > patch else 0
