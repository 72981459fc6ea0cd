"""Write attention maps: what the CLS token of a transformer block attends to."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.engines.answer import block_attention
from backend.maps.embeddings import token_plan
from backend.maps.emit import check_block, masked, output_paths, send_pixels
from backend.maps.request import MapContext, Request
from backend.maps.run import start_run
from backend.output.sink import Layer
from backend.output.styles import log_ramp_qml, mask_qml, ramp_qml
from backend.stream.tiles import TileJob

NO_MASK = 255
# Share of a head's attention that a mask keeps, as in DINO's figures.
MASS = 0.6
MEAN, ALL, LOG = "mean", "all", "log"
# Less attention than this, relative to an even spread, counts as this in logarithms.
LEAST = 2.0**-12
# Share of the patches of a tile that may be bright spots.
SPOTS = 0.05


def attention(
    request: Request,
    heads: str = MEAN,
    block: int = -1,
    mass: float | None = None,
    masks: Path | None = None,
    context: MapContext | None = None,
) -> dict[str, Any]:
    """Write the CLS attention of a block, float32 relative to its mean over a tile (1 is average), NaN for nodata.

    Args:
        request: Input, outputs and options of the run.
        heads: MEAN for one band, ALL for a band for each head, and their mean as the last; LOG for one band, the mean
            over the heads of `logarithms`. A few patches hold most of the attention of a head; the logarithm shows how
            the others differ.
        block: Transformer block from 0; negative from the end.
        mass: Share of a head's attention that its mask keeps (DINO, arXiv 2104.14294, figure 1), above 0, at most 1;
            MASS if None. Only with `masks`.
        masks: Also write, for each head, where the patches lie that hold that share: 1 there, 0 elsewhere, 255 nodata.
        context: Reporter, cancel and models.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: As for `landcover`.
    """
    if mass is not None and masks is None:
        raise InputError(
            "An attention mass was given without masks; only masks need it.", "Add --masks, or leave it out."
        )
    mass = MASS if mass is None else mass
    if not 0 < mass <= 1:
        raise InputError(
            f"The attention mass is {mass:g}; a share above 0 and at most 1 is needed.", "Give 0.6, for example."
        )
    outputs = output_paths(request, masks=masks)
    with start_run(request, "attention", outputs, context) as run:
        check_block(run.card, block)
        every = [f"head {number}" for number in range(1, run.card.arch.heads + 1)]
        names = [*(every if heads == ALL else ()), "mean log2 attention" if heads == LOG else "mean attention"]
        sinks = {"output": run.outputs.sink("output", Layer("float32", math.nan, names))}
        if masks:
            sinks["masks"] = run.outputs.sink("masks", Layer("uint8", NO_MASK, every))

        def write(nearest: FloatArray, smooth: FloatArray, valid: BoolArray) -> None:
            sinks["output"].write(masked(smooth[: len(names)], valid))
            if masks:
                kept = (nearest[len(names) :] >= 0.5).astype(np.uint8)
                sinks["masks"].write(np.where(valid, kept, np.uint8(NO_MASK)))

        read = partial(read_attention, heads=heads, mass=mass if masks else None)
        answer = block_attention(run.card.arch, block, read)
        plan = token_plan(run.scene, run.card)
        channels = len(names) + (len(every) if masks else 0)
        send_pixels(run, TileJob(plan, channels, run.loaded.batch, per_patch=True), answer, write)
        run.outputs.close()
        ramp = ramp_qml if heads == LOG else log_ramp_qml
        styles = {"output": ramp(sinks["output"].thumbnail(band=len(names)), band=len(names)), "masks": mask_qml()}
        run.outputs.commit({role: styles[role] for role in sinks})
        return run.report(classes=[])


def read_attention(raw: FloatArray, heads: str, mass: float | None) -> FloatArray:
    """Return the answer that is blended for attention maps.

    Args:
        raw: CLS attention of a tile [heads, rows, columns]; each head sums to at most 1.
        heads: See `attention`.
        mass: Also append, for each head, 1 where the patches lie that hold this share of its attention, else 0.

    Returns:
        float32 [channels, rows, columns]. Attention is multiplied by the number of patches: it is a share of its tile,
        and shares of tiles don't fit together, but shares relative to an even spread do.
    """
    count, rows, columns = raw.shape
    relative = raw * np.float32(rows * columns)
    each = logarithms(raw) if heads == LOG else relative
    shown: FloatArray = each.mean(axis=0, keepdims=True)
    if heads == ALL:
        shown = np.concatenate((relative, shown))
    if mass is None:
        return shown
    flat = raw.reshape(count, -1)
    flat = flat / flat.sum(axis=1, keepdims=True)
    order = np.argsort(flat, axis=1, kind="stable")
    kept = np.cumsum(np.take_along_axis(flat, order, axis=1), axis=1) > 1 - mass
    masks = np.zeros_like(flat)
    np.put_along_axis(masks, order, kept.astype(np.float32), axis=1)
    both: FloatArray = np.concatenate((shown, masks.reshape(raw.shape)))
    return both


def logarithms(raw: FloatArray) -> FloatArray:
    """Return the logarithm to base 2 of attention, relative to its mean over the tile.

    The patches with most attention, a share of SPOTS, don't count in that mean: how many a tile has would decide the
    level of all others, and neighbouring tiles would not fit together. As attention is unequal among the rest too, most
    patches lie below the mean, at -2 to -5 with the bundled model.

    Args:
        raw: CLS attention of a tile [heads, rows, columns].

    Returns:
        float32 of the same shape.
    """
    relative = raw * np.float32(raw[0].size)
    ranked = np.sort(relative.reshape(len(raw), -1), axis=1)
    usual = ranked[:, : math.ceil((1 - SPOTS) * ranked.shape[1])].mean(axis=1)
    found: FloatArray = np.log2(np.maximum(relative, LEAST)) - np.log2(np.maximum(usual, LEAST))[:, None, None]
    return found.astype(np.float32)
