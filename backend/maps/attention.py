"""Write attention maps: what the CLS token of a transformer block attends to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.maps.embeddings import token_plan
from backend.maps.emit import check_block, masked, output_paths, send_pixels
from backend.maps.request import Context, Request
from backend.maps.run import start_run
from backend.output.sink import Layer
from backend.output.styles import mask_qml, ramp_qml
from backend.stream.tiles import TileJob

if TYPE_CHECKING:
    from torch import Tensor

    from backend.network.vit import SarViT

NO_MASK = 255
# Share of a head's attention that a mask keeps, as in DINO's figures.
MASS = 0.6


def attention(
    request: Request,
    heads: str = "mean",
    block: int = -1,
    mass: float | None = None,
    masks: Path | None = None,
    context: Context | None = None,
) -> dict[str, Any]:
    """Write the CLS attention of a block, float32 relative to its mean over a tile (1 is average), NaN for nodata.

    Args:
        request: What to read and write.
        heads: "mean" for one band, "all" for a band for each head, and their mean as the last.
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
        raise InputError(f"The attention mass is {mass:g}; wanted is a share above 0, at most 1.", "Give 0.6, say.")
    outputs = output_paths(request, masks=masks)
    with start_run(request, "attention", outputs, context) as run:
        check_block(run.card, block)
        every = [f"head {number}" for number in range(1, run.card.arch.heads + 1)]
        names = [*(every if heads == "all" else ()), "mean attention"]
        sinks = {"output": run.outputs.sink("output", Layer("float32", math.nan, names))}
        if masks:
            sinks["masks"] = run.outputs.sink("masks", Layer("uint8", NO_MASK, every))

        def write(nearest: FloatArray, smooth: FloatArray, valid: BoolArray) -> None:
            sinks["output"].write(masked(smooth[: len(names)], valid))
            if masks:
                kept = (nearest[len(names) :] >= 0.5).astype(np.uint8)
                sinks["masks"].write(np.where(valid, kept, np.uint8(NO_MASK)))

        answer = Attention(block, heads == "all", mass if masks else None)
        plan = token_plan(run.scene, run.card)
        channels = len(names) + (len(every) if masks else 0)
        send_pixels(run, TileJob(plan, channels, run.loaded.batch, per_patch=True), answer, write)
        run.outputs.close()
        styles = {"output": ramp_qml(sinks["output"].thumbnail(band=len(names)), band=len(names)), "masks": mask_qml()}
        run.outputs.commit({role: styles[role] for role in sinks})
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
    """Return what is blended for attention maps.

    Args:
        raw: CLS attention [n, heads, rows, columns]; each head sums to at most 1 over its tile.
        every_head: Put each head before the mean of all.
        mass: Also append, for each head, 1 where the patches lie that hold this share of its attention, else 0.

    Returns:
        [n, channels, rows, columns]. Attention is multiplied by the number of patches: it is a share of its tile, and
        shares of tiles don't fit together, but shares relative to an even spread do.
    """
    import torch

    n, heads, rows, columns = raw.shape
    relative = raw * (rows * columns)
    shown = relative.mean(dim=1, keepdim=True)
    if every_head:
        shown = torch.cat((relative, shown), dim=1)
    if mass is None:
        return shown
    flat = raw.reshape(n, heads, -1)
    ascending, order = torch.sort(flat / flat.sum(dim=-1, keepdim=True), dim=-1, stable=True)
    kept = (ascending.cumsum(dim=-1) > 1 - mass).to(flat.dtype)
    masks = torch.zeros_like(flat).scatter(-1, order, kept)
    return torch.cat((shown, masks.reshape(raw.shape)), dim=1)
