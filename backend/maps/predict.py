"""Land cover and attention as two outputs of one stream: source, plan, read, prepare, model, blend, sink."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.maps.emit import Write, cell_factors, check_block, masked, output_paths, send_tiles, to_pixels
from backend.maps.request import Context, Request
from backend.maps.run import Run, start_run
from backend.raster.sink import Layer, RasterSink
from backend.raster.styles import paletted_qml, ramp_qml, rgb, share_qml
from backend.stream.blend import RowBlender
from backend.stream.decision import choosing, decision
from backend.stream.tiles import Blender, TileJob
from backend.stream.tiling import TilePlan, attention_overlap, plan_tiles

if TYPE_CHECKING:
    from torch import Tensor

    from backend.engines.factory import Answer
    from backend.network.vit import SarViT

# Most pixels that go through the model, for each pixel of the raster, when land cover is mapped.
REDUNDANCY = 1.35
NO_MASK = 255


def landcover(
    request: Request,
    confidence: Path | None = None,
    probabilities: Path | None = None,
    context: Context | None = None,
) -> dict[str, Any]:
    """Write a map of classes, uint8 with 0 for nodata, in the legend of the model's card.

    Args:
        request: What to read and write.
        confidence: Also write the probability of the class, float32 0 to 1, NaN for nodata.
        probabilities: Also write the probability of every class, one band each.
        context: Reporter, cancel and models.

    Returns:
        The facts of the result event: outputs, classes with their pixel counts, device, seconds, model.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    outputs = output_paths(request, confidence=confidence, probabilities=probabilities)
    with start_run(request, "landcover", outputs, context) as run:
        classes = run.card.classes
        sinks = {
            role: run.outputs.sink(role, layer) for role, layer in _landcover_layers(run).items() if role in outputs
        }
        values = np.array([item.value for item in classes], dtype=np.uint8)
        decide = decision(classes)
        counts = np.zeros(256, dtype=np.int64)

        def record(best: NDArray[Any], valid: BoolArray) -> None:
            chosen = np.where(valid, values[best], np.uint8(0))
            counts[:] += np.bincount(chosen.ravel(), minlength=256)
            sinks["output"].write(chosen[None])

        def write(nearest: FloatArray, smooth: FloatArray, valid: BoolArray) -> None:
            best = decide(nearest)
            record(best, valid)
            if "confidence" in sinks:
                # Of the class that is written: resampled smoothly, another one may be the likeliest.
                sinks["confidence"].write(masked(np.take_along_axis(smooth, best[None], axis=0), valid))
            if "probabilities" in sinks:
                sinks["probabilities"].write(masked(smooth, valid))

        def write_decided(rows: NDArray[Any], valid: BoolArray) -> None:
            record(rows[0].astype(np.uint8), valid)
            if "confidence" in sinks:
                sinks["confidence"].write(masked(rows[1:], valid))

        tile, patch = run.card.tile, run.card.patch
        overlap = landcover_overlap(tile, patch, run.card.arch.reach)
        plan = plan_tiles(run.scene.frame.height, run.scene.frame.width, tile, overlap, patch)
        if "probabilities" not in sinks and cell_factors(run.scene, plan, per_patch=False) == (1.0, 1.0):
            # Nothing is resampled after it: classes are chosen as soon as sums are final, where they lie.
            on_device = decides_on_device(run)
            blender = _deciding(run, "confidence" in sinks, on_device)
            job = TileJob(plan, len(classes), run.loaded.batch, blender=blender, fetch=not on_device)
            send_tiles(run, job, class_probabilities, write_decided)
            run.outputs.close()
        else:
            _stream(run, TileJob(plan, len(classes), run.loaded.batch), class_probabilities, write)
        styles = dict.fromkeys(sinks, share_qml())
        run.outputs.commit({**styles, "output": paletted_qml(classes)}, classes)
        found = [{"value": c.value, "name": c.name, "color": c.color, "pixels": int(counts[c.value])} for c in classes]
        return run.report(classes=found)


def decides_on_device(run: Run) -> bool:
    """Whether probabilities are blended and classes chosen on a graphics card."""
    return run.loaded.device.type == "cuda"


def _deciding(run: Run, confidence: bool, on_device: bool) -> Callable[[TilePlan, int], Blender]:
    if not on_device:
        return partial(RowBlender, reduce=choosing(run.card.classes, confidence))
    from backend.engines.device_blend import DeviceBlender, deciding

    return partial(DeviceBlender, device=run.loaded.device, reduce=deciding(run.card.classes, confidence))


def class_probabilities(network: SarViT, x: Tensor) -> Tensor:
    """What is blended for land cover: float32 [n, classes, tile, tile] of tiles [n, bands, tile, tile]."""
    logits: Tensor = network(x)
    return logits.float().softmax(dim=1)


def attention(
    request: Request,
    heads: str = "mean",
    block: int = -1,
    mass: float = 0.6,
    masks: Path | None = None,
    context: Context | None = None,
) -> dict[str, Any]:
    """Write the CLS attention of a block, float32 relative to its mean over a tile (1 is average), NaN for nodata.

    Args:
        request: What to read and write.
        heads: "mean" for one band, "all" for a band for each head.
        block: Transformer block from 0; negative from the end.
        mass: Share of a head's attention that its mask keeps (DINO, arXiv 2104.14294, figure 1).
        masks: Also write, for each head, where the patches lie that hold that share: 1 there, 0 elsewhere, 255 nodata.
        context: Reporter, cancel and models.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: As for `landcover`.
    """
    if not 0 < mass <= 1:
        raise InputError(f"The attention mass is {mass:g}; wanted is a share above 0, at most 1.", "Give 0.6, say.")
    outputs = output_paths(request, masks=masks)
    with start_run(request, "attention", outputs, context) as run:
        check_block(run.card, block)
        every = [f"head {number}" for number in range(1, run.card.arch.heads + 1)]
        names = every if heads == "all" else ["mean attention"]
        sinks = {"output": run.outputs.sink("output", Layer("float32", math.nan, names))}
        if masks:
            sinks["masks"] = run.outputs.sink("masks", Layer("uint8", NO_MASK, every))

        def write(nearest: FloatArray, smooth: FloatArray, valid: BoolArray) -> None:
            sinks["output"].write(masked(smooth[: len(names)], valid))
            if masks:
                kept = (nearest[len(names) :] >= 0.5).astype(np.uint8)
                sinks["masks"].write(np.where(valid, kept, np.uint8(NO_MASK)))

        answer = Attention(block, heads == "all", mass if masks else None)
        tile, patch = run.card.tile, run.card.patch
        plan = plan_tiles(run.scene.frame.height, run.scene.frame.width, tile, attention_overlap(tile, patch), patch)
        channels = len(names) + (len(every) if masks else 0)
        _stream(run, TileJob(plan, channels, run.loaded.batch, per_patch=True), answer, write)
        run.outputs.commit({role: ramp_qml(_drawn(sink)) for role, sink in sinks.items()})
        return run.report(classes=[])


@dataclass(frozen=True)
class Attention:
    """Read the attention of a block as maps show it; equal for equal settings, as `Tokens` of embeddings are."""

    block: int
    every_head: bool
    mass: float | None

    def __call__(self, network: SarViT, x: Tensor) -> Tensor:
        return read_attention(network.attention(x, self.block), self.every_head, self.mass)


def read_attention(raw: Tensor, every_head: bool, mass: float | None) -> Tensor:
    """What is blended for attention maps.

    Args:
        raw: CLS attention [n, heads, rows, columns]; each head sums to at most 1 over its tile.
        every_head: Keep the heads apart instead of averaging them.
        mass: Also append, for each head, 1 where the patches lie that hold this share of its attention, else 0.

    Returns:
        [n, channels, rows, columns]. Attention is multiplied by the number of patches: it is a share of its tile, and
        shares of tiles don't fit together, but shares relative to an even spread do.
    """
    import torch

    n, heads, rows, columns = raw.shape
    relative = raw * (rows * columns)
    shown = relative if every_head else relative.mean(dim=1, keepdim=True)
    if mass is None:
        return shown
    flat = raw.reshape(n, heads, -1)
    ascending, order = torch.sort(flat / flat.sum(dim=-1, keepdim=True), dim=-1, stable=True)
    kept = (ascending.cumsum(dim=-1) > 1 - mass).to(flat.dtype)
    masks = torch.zeros_like(flat).scatter(-1, order, kept)
    return torch.cat((shown, masks.reshape(raw.shape)), dim=1)


def landcover_overlap(tile: int, patch: int, reach: int = 0) -> int:
    """The largest overlap, in whole patches and at least one, whose redundant work stays within REDUNDANCY.

    More, up to half a tile, where a head looks at `reach` pixels around each: windows are cut short at the edge of a
    tile, and must fade out there.
    """
    room = tile * (1 - 1 / math.sqrt(REDUNDANCY))
    wanted = min(math.ceil(reach / patch), tile // 2 // patch)
    return max(1, int(room // patch), wanted) * patch if tile > patch else 0


def _stream(run: Run, job: TileJob, answer: Answer, write: Write) -> None:
    scaled = cell_factors(run.scene, job.plan, job.per_patch) != (1.0, 1.0)
    emit = (
        to_pixels(run.scene, job.plan, job.per_patch, write) if scaled else lambda rows, valid: write(rows, rows, valid)
    )
    send_tiles(run, replace(job, coverage=scaled), answer, emit)
    run.outputs.close()


def _landcover_layers(run: Run) -> dict[str, Layer]:
    classes = run.card.classes
    palette = {item.value: rgb(item.color) for item in classes}
    return {
        "output": Layer("uint8", 0, ["land cover"], palette),
        "confidence": Layer("float32", math.nan, ["confidence"]),
        "probabilities": Layer("float32", math.nan, [item.name for item in classes]),
    }


def _drawn(sink: RasterSink) -> NDArray[Any]:
    sample = sink.thumbnail()
    return sample[sample != NO_MASK] if sample.dtype == np.uint8 else sample
