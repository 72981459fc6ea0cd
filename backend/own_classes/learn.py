"""Learn classes from an opened raster and a file of samples: read, compute features, validate, grow, write."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from backend.card.arch import TAPS, Arch
from backend.card.model_card import ModelCard
from backend.core.arrays import FloatArray
from backend.core.errors import InputError
from backend.core.words import counted
from backend.engines.answer import block_tokens
from backend.engines.job import Job
from backend.engines.verify import disagreements
from backend.folder.read import read_tensors
from backend.graph.heads import tapped_blocks
from backend.graph.probe import probe_tile
from backend.maps.extent import Layout
from backend.maps.landcover import landcover_overlap
from backend.maps.run import Run
from backend.own_classes.features import COMPONENTS, WINDOWS, FeatureTable, gather_features, tiles_of
from backend.own_classes.folds import FOLDS, plan_folds
from backend.own_classes.forest import PORTIONS, head_tensors
from backend.own_classes.heldout import held_out_scores
from backend.own_classes.known import known_answers
from backend.own_classes.labelled import LabelledPixels, label_pixels, usable
from backend.own_classes.legend import Styles
from backend.own_classes.mixed import mixed_classes
from backend.own_classes.model_folder import folder_name, printable, write_folder
from backend.own_classes.pixels import SamplePixels, find_pixels
from backend.own_classes.samples import Samples, check_classes, read_samples
from backend.own_classes.trees import Trees
from backend.stream.tiling import plan_tiles

SMOOTH = 9  # side of the window over which a map's probabilities are averaged


class _Progress:
    """Progress over tiles and then forests: a portion of trees takes about as long as a tile."""

    def __init__(self, session: Run, tiles: int, forests: int) -> None:
        self._context, self._tiles, self._portions = session.context, tiles, 0
        self.forests(forests)

    def forests(self, count: int) -> None:
        """Set the number of forests."""
        self._total = self._tiles + count * PORTIONS

    def tiles(self, done: int) -> None:
        self._context.cancel.check()
        self._context.reporter.progress(done, self._total)

    def portion(self) -> None:
        self._context.cancel.check()
        self._portions += 1
        self._context.reporter.progress(self._tiles + self._portions, self._total)


def learn(session: Run, path: Path, field: str, title: str, styles: Styles, check: bool) -> dict[str, Any]:
    """Learn the classes of samples and write the model folder that the session's request names.

    Args:
        session: Raster, units and backbone.
        path: Samples (GeoJSON).
        field: Property that holds the class.
        title: Title of the model.
        styles: Names and colours of some or all classes.
        check: Whether accuracy on held-out blocks is measured.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then nothing is written, and an older folder is unchanged.
    """
    request, log = session.prepared.request, session.context.reporter.log
    samples = read_samples(path, field, session.scene.source.grid.crs)
    check_classes(samples, field)
    if samples.skipped:
        log("warning", f"{samples.skipped} samples without a geometry or a class are left out.")
    tensors = read_tensors(session.prepared.folder, session.card)  # a damaged model is refused before the work
    pixels, table, progress, seen = _gathered(session, samples, FOLDS + 1 if check else 1)
    grid = _transform(session), session.scene.frame.height, session.scene.frame.width
    keep = usable(samples.items, pixels, table.valid, grid, session.context.reporter)
    labelled = label_pixels(samples.items, table, pixels, keep, styles, session.context.reporter)
    session.context.cancel.check()
    scores = _held_out(session, labelled, progress) if check else {"not_known": "it was not asked for"}
    if "not_known" in scores:
        progress.forests(1)
    trees = labelled.forest(np.arange(len(labelled.x)), progress.portion)
    card = _card(session, labelled, trees, title, f"{path.name}, field {field}", scores)
    tensors = {name: value for name, value in tensors.items() if name.startswith("backbone.")}
    tensors |= head_tensors(trees, labelled.components)
    known = known_answers(session.card, card, (seen, trees, labelled.components))
    card = write_folder(request.output, (tensors, known), card, session.context.cancel)
    for warning in disagreements(request.output, card):
        log("warning", warning)
    return session.report(
        outputs={"output": str(request.output)},
        classes=[{"value": c.value, "name": c.name, "color": c.color} for c in card.classes],
        held_out=scores,
        model=card.name,
        backbone=session.card.name,
    )


def own_arch(arch: Arch, trees: Trees | None = None) -> Arch:
    """Return the sizes of a backbone with a head for these trees, or with an empty head."""
    count, nodes = trees.feature.shape if trees else (1, 2)
    return dataclasses.replace(
        arch, head="forest", head_dim=min(COMPONENTS, TAPS["forest"] * arch.embed_dim), windows=WINDOWS, smooth=SMOOTH,
        trees=count, tree_nodes=nodes, tree_depth=trees.depth if trees else 1,
    )  # fmt: skip


def _gathered(session: Run, samples: Samples, fits: int) -> tuple[SamplePixels, FeatureTable, _Progress, FloatArray]:
    """Find the pixels of the samples, and compute their features, in the tiles that the whole raster's map has.

    Returns:
        Pixels, features, progress, and the tokens [channels, rows, columns] of the tile with known answers.
    """
    scene, card, request = session.scene, session.card, session.prepared.request
    overlap = landcover_overlap(card.tile, card.patch, own_arch(card.arch).reach)
    scene.widen(Layout(card.tile, card.tile - overlap, card.patch))
    frame = scene.frame
    pixels = find_pixels(samples.items, _transform(session), frame.height, frame.width)
    pixels = pixels.take(pixels.inside(scene.part.in_cells(scene.factors)))
    if not len(pixels):
        raise InputError(
            f"No sample lies within {request.input} (or the extent asked for).",
            "Check the coordinate systems of samples and raster.",
        )
    plan = plan_tiles(frame.height, frame.width, card.tile, overlap, card.patch)
    progress = _Progress(session, len(tiles_of(pixels, plan)), fits)
    context, engines = session.context, session.loaded.engines
    answer = block_tokens(card.arch, *tapped_blocks(own_arch(card.arch)))
    with engines.runner(Job(answer, True, context.cancel, context.reporter.log)) as (ask, session.engine):
        table = gather_features(ask, frame, plan, pixels, session.loaded.batch, progress.tiles)
        seen = next(iter(ask(probe_tile(len(card.bands), card.tile))))
    return pixels, table, progress, seen


def _transform(session: Run) -> Affine:
    """Return the transform from (column, row) of the frame, in pixels of the model's size, to coordinates."""
    down, across = session.scene.factors
    return session.scene.source.grid.transform * Affine.scale(across, down)


def _held_out(session: Run, labelled: LabelledPixels, progress: _Progress) -> dict[str, Any]:
    log = session.context.reporter.log
    folds = plan_folds(labelled.pixels, labelled.classes)
    if folds is None:
        why = "fewer than two classes have samples in two places apart"
        log("warning", f"The accuracy can't be measured: {why}. Draw samples of each class in several places.")
        return {"not_known": why}
    progress.forests(folds.count + 1)
    scores = held_out_scores(
        labelled.x, labelled.classes, folds, labelled.legend, lambda which: labelled.forest(which, progress.portion)
    )
    log("info", f"Accuracy on held-out samples, in {folds.blocks} blocks of {folds.side} pixels or more:")
    log("info", f"  overall {scores['overall_accuracy']:.2f}, mean IoU {scores['mean_iou']:.2f}")
    for name, found in scores["classes"].items():
        where = f"{counted(found['pixels'], 'pixel')} in {counted(found['blocks'], 'block')}"
        log("info", f"  {name}: F1 {found['f1']:.2f}, IoU {found['iou']:.2f} ({where})")
    for item in labelled.legend:
        if f"{item.value} {item.name}" not in scores["classes"]:
            log("warning", f"The accuracy of {item.name} is unknown: its samples lie in one place only.")
    for line in mixed_classes(scores, labelled.legend):
        log("warning", line)
    return scores


def _card(
    session: Run, labelled: LabelledPixels, trees: Trees, title: str, origin: str, scores: dict[str, Any]
) -> ModelCard:
    old, counted = session.card, {}
    for number, item in enumerate(labelled.legend):
        here = labelled.classes == number
        samples = len(np.unique(labelled.pixels.sample[here]))
        counted[f"{item.value} {item.name}"] = {"samples": samples, "pixels": int(here.sum())}
    learnt = printable(f"Own samples: {origin}, over {Path(session.prepared.request.input).name}")
    return dataclasses.replace(
        old,
        name=folder_name(session.prepared.request.output),
        title=title,
        arch=own_arch(session.card.arch, trees),
        classes=labelled.legend,
        trained_on=(learnt, f"Backbone: model {old.name}, unchanged", *(f"Backbone: {s}" for s in old.trained_on)),
        metrics={"held_out": scores, "samples": counted},
        limits=("Trained at the place and date of its samples; accuracy elsewhere is unknown.",),
        # A band may be missing later only if it was missing during training.
        allows_missing_bands=len(session.scene.bands) < len(old.bands),
    )
