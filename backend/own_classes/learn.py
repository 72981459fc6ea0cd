"""Learn classes from an opened raster and a file of samples: read, compute features, validate, grow, write."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.card.model_card import ModelCard
from backend.core.words import counted
from backend.engines.verify import disagreements
from backend.folder.read import read_tensors
from backend.maps.run import Run
from backend.own_classes.arch import own_arch
from backend.own_classes.folds import FOLDS, plan_folds
from backend.own_classes.forest import PORTIONS, head_tensors
from backend.own_classes.gather import Place, gather, open_scenes, place_samples
from backend.own_classes.heldout import held_out_scores
from backend.own_classes.known import known_answers
from backend.own_classes.labelled import LabelledPixels, label_pixels
from backend.own_classes.legend import Styles
from backend.own_classes.mixed import mixed_classes
from backend.own_classes.model_folder import folder_name, printable, write_folder
from backend.own_classes.samples import SampleSource, check_classes
from backend.own_classes.trees import Trees

NAMED = 5  # scenes that a card names


class _Progress:
    """Report progress over tiles and then forests: a portion of trees takes about as long as a tile."""

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


def learn(session: Run, source: SampleSource, title: str, styles: Styles, check: bool) -> dict[str, Any]:
    """Learn the classes of samples and write the model folder that the session's request names.

    Args:
        session: Raster, units and backbone.
        source: Samples, and further scenes that they lie in.
        title: Title of the model.
        styles: Names and colours of some or all classes.
        check: Whether accuracy on held-out blocks is measured.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then nothing is written, and an older folder is unchanged.
    """
    request, reporter = session.prepared.request, session.context.reporter
    tensors = read_tensors(session.prepared.folder, session.card)  # a damaged model is refused before the work
    with open_scenes(session, source.also) as runs:
        samples, places = place_samples(runs, source.samples, source.field)
        check_classes(samples, source.field)
        if samples.skipped:
            reporter.log("warning", f"{samples.skipped} samples without a geometry or a class are left out.")
        progress = _Progress(session, sum(place.tiles for place in places), FOLDS + 1 if check else 1)
        found = gather(samples, places, progress.tiles)
    labelled = label_pixels(samples.items, found.table, found.pixels, styles, reporter)
    session.context.cancel.check()
    scores = _held_out(session, labelled, progress) if check else {"not_known": "it was not asked for"}
    if "not_known" in scores:
        progress.forests(1)
    trees = labelled.forest(np.arange(len(labelled.x)), progress.portion)
    origin = f"{source.samples.name}, field {source.field}"
    card = dataclasses.replace(
        _card(session, labelled, trees, scores),
        title=title,
        trained_on=(_learnt(origin, found.places), *_backbone(session.card)),
        allows_missing_bands=_lacks_bands(found.places),
    )
    tensors = {name: value for name, value in tensors.items() if name.startswith("backbone.")}
    tensors |= head_tensors(trees, labelled.components)
    known = known_answers(session.card, card, (found.seen, trees, labelled.components))
    card = write_folder(request.output, (tensors, known), card, session.context.cancel)
    for warning in disagreements(request.output, card):
        reporter.log("warning", warning)
    return session.report(
        outputs={"output": str(request.output)},
        classes=[{"value": c.value, "name": c.name, "color": c.color} for c in card.classes],
        held_out=scores,
        model=card.name,
        backbone=session.card.name,
        scenes=[place.run.scene.name for place in found.places],
    )


def _learnt(origin: str, places: Sequence[Place]) -> str:
    """Return the sentence of the card about samples and scenes."""
    names = [Path(place.run.prepared.request.input).name for place in places]
    more = f" and {len(names) - NAMED} more scenes" if len(names) > NAMED else ""
    return printable(f"Own samples: {origin}, over {', '.join(names[:NAMED])}{more}")


def _lacks_bands(places: Sequence[Place]) -> bool:
    """Return whether a scene lacks a band: one may be missing later only if it was missing during training."""
    return any(len(place.run.scene.bands) < len(place.run.card.bands) for place in places)


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


def _backbone(card: ModelCard) -> list[str]:
    """Return the sentences of the card that say where the backbone is from."""
    return [f"Backbone: model {card.name}, unchanged", *(f"Backbone: {s}" for s in card.trained_on)]


def _card(session: Run, labelled: LabelledPixels, trees: Trees, scores: dict[str, Any]) -> ModelCard:
    """Return the card of the new model, but for its title, its origin and whether bands may be missing."""
    counted = {}
    for number, item in enumerate(labelled.legend):
        here = labelled.classes == number
        samples = len(np.unique(labelled.pixels.sample[here]))
        counted[f"{item.value} {item.name}"] = {"samples": samples, "pixels": int(here.sum())}
    return dataclasses.replace(
        session.card,
        name=folder_name(session.prepared.request.output),
        arch=own_arch(session.card.arch, trees),
        classes=labelled.legend,
        metrics={"held_out": scores, "samples": counted},
        limits=("Trained at the place and date of its samples; accuracy elsewhere is unknown.",),
    )
