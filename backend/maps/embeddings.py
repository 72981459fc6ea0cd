"""Write embeddings: the transformer's patch tokens as bands, and a picture of their principal components."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from backend.card.model_card import ModelCard
from backend.core.arrays import BoolArray, FloatArray
from backend.core.cancel import Cancel
from backend.engines.answer import block_tokens
from backend.maps.eight_bits import NOTHING, Range, check_bits
from backend.maps.emit import asked_patches, check_block, masked, output_paths, patch_grid, send_tiles, to_pixels
from backend.maps.extent import Layout
from backend.maps.pca import Components, Scatter
from backend.maps.request import MapContext, Request
from backend.maps.run import Run, start_run
from backend.maps.scene import Scene
from backend.output.sink import Layer, RasterSink
from backend.output.styles import ramp_qml, rgb_qml
from backend.raster.grid import Grid
from backend.stream.tiles import Emit, TileJob
from backend.stream.tiling import TilePlan, attention_overlap, plan_tiles

PICTURE_ROWS = 16  # coloured at once: less memory than a row of blocks, which is held anyway


def embed(
    request: Request,
    block: int = -1,
    grid: str = "patch",
    pca: Path | None = None,
    context: MapContext | None = None,
    bits: int = 32,
) -> dict[str, Any]:
    """Write the normalised patch tokens of a block, a band for each feature: float32 with NaN for nodata, or bytes.

    There is one token for a patch. On the grid of patches (the default) each is a pixel, in register with the input;
    on the input's grid tokens are interpolated, which adds no information and takes patch² times the space: a whole
    Sentinel-1 scene of 192 features would fill 300 GB.

    Args:
        request: Input, outputs and options of the run.
        block: Transformer block from 0; negative from the end.
        grid: "patch" or "input".
        pca: Also write the first three principal components, fitted to all of the scene's valid tokens, as red, green
            and blue: uint8, 1 to 255 over two standard deviations on either side of the mean, 0 for nodata.
        context: Reporter, cancel and models.
        bits: 32, or 8 for bytes that span the range of each feature, with scale and offset, 255 for nodata. Floats are
            on the disk meanwhile.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then no output is left, and older ones are as they were.
    """
    check_bits(bits)
    with start_run(request, "embed", output_paths(request, pca=pca), context) as run:
        scene, card = run.scene, run.card
        check_block(card, block)
        plan, features = token_plan(scene, card), card.arch.embed_dim
        target = patch_grid(scene, plan) if grid == "patch" else scene.grid
        writer, scatter = _Writer(run, target, bits), Scatter(features)

        def learn(tokens: FloatArray, valid: BoolArray) -> None:
            scatter.add(tokens[:, valid])

        emits = [
            asked_patches(scene, plan, writer.write)
            if grid == "patch"
            else to_pixels(scene, plan, True, lambda _, s, v: writer.write(s, v))
        ]
        if pca:
            # From the patches on either grid, so that the colours are the same.
            emits.append(asked_patches(scene, plan, learn))
        send_tokens(run, plan, block, emits)
        run.outputs.close()
        styles = {"output": ramp_qml(writer.finish().thumbnail(), nodata=NOTHING if bits == 8 else None)}
        if pca:
            colour = Layer("uint8", 0, ["component 1", "component 2", "component 3"], rgb=True)
            components = scatter.components(3)
            shares = ", ".join(f"{share:.0%}" for share in components.shares)
            run.context.reporter.log("info", f"Red, green and blue hold {shares} of the variance of the embeddings.")
            picture(writer.floats, run.outputs.sink("pca", colour, target), components, run.context.cancel)
            styles["pca"] = rgb_qml()
        run.outputs.commit(styles)
        return run.report(classes=[])


class _Writer:
    """Write tokens to the main output of a run: as they come, or in bytes when all have been seen.

    Args:
        run: Started.
        grid: Grid of the output.
        bits: Bits of a value.

    Attributes:
        floats: The tokens as floats; with 8 bits an intermediate raster.
    """

    def __init__(self, run: Run, grid: Grid, bits: int) -> None:
        features = run.card.arch.embed_dim
        self._names = [f"feature {number}" for number in range(1, features + 1)]
        self._run, self._grid, self._span = run, grid, Range(features) if bits == 8 else None
        floats = Layer("float32", math.nan, self._names)
        self.floats = run.outputs.sink("output", floats, grid) if bits == 32 else run.outputs.scratch(floats, grid)

    def write(self, tokens: FloatArray, valid: BoolArray) -> None:
        """Write rows of tokens, NaN where not valid."""
        self.floats.write(masked(tokens, valid))
        if self._span is not None:
            self._span.add(tokens[:, valid])

    def finish(self) -> RasterSink:
        """Return the finished output; bytes are written now, since their range wasn't known before."""
        if self._span is None:
            return self.floats
        self.floats.finish(overviews=False)
        code = self._span.code()
        sink = self._run.outputs.sink("output", code.layer(self._names), self._grid)
        for block in self.floats.rows():
            self._run.context.cancel.check()
            sink.write(code.encode(block, np.isfinite(block[0])))
        sink.finish()
        return sink


def token_plan(scene: Scene, card: ModelCard) -> TilePlan:
    """Plan the tiles of tokens, which share half with each neighbour, and widen the scene to hold them."""
    overlap = attention_overlap(card.tile, card.patch)
    scene.widen(Layout(card.tile, card.tile - overlap, card.patch))
    return plan_tiles(scene.frame.height, scene.frame.width, card.tile, overlap, card.patch)


def send_tokens(
    run: Run, plan: TilePlan, block: int, emits: list[Emit], only: set[tuple[int, int]] | None = None
) -> None:
    """Send the tiles of a `token_plan` through the network, and the blended tokens to all of `emits`."""

    def emit(rows: FloatArray, valid: BoolArray) -> None:
        for each in emits:
            each(rows, valid)

    features = run.card.arch.embed_dim
    job = TileJob(plan, features, run.loaded.batch, per_patch=True, coverage=True, only=only)
    send_tiles(run, job, block_tokens(run.card.arch, block), emit)


def picture(tokens: RasterSink, sink: RasterSink, components: Components, cancel: Cancel) -> None:
    """Colour the tokens that were written; the components are known only now that all have been seen.

    Args:
        tokens: Finished.
        sink: Sink of the same grid; finished here.
        components: Components of the tokens.
        cancel: Looked at between strips.
    """
    for block in tokens.rows():
        cancel.check()
        for top in range(0, block.shape[1], PICTURE_ROWS):
            rows = block[:, top : top + PICTURE_ROWS]
            valid = np.isfinite(rows[0])
            sink.write(np.where(valid, components.colours(np.where(valid, rows, np.float32(0))), np.uint8(0)))
    sink.finish()
