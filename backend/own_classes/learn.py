"""From an opened raster and a file of samples to a model folder: read, gather, hold out, grow, write."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np
import torch
from affine import Affine
from torch import Tensor

from backend.card.arch import Arch
from backend.card.model_card import LandCoverClass, ModelCard
from backend.core.arrays import IntArray
from backend.core.errors import InputError
from backend.maps.landcover import landcover_overlap
from backend.maps.run import Run
from backend.network.forest_head import ForestHead, Trees
from backend.network.vit import SarViT
from backend.own_classes.features import Table, gather, tiles_of
from backend.own_classes.folds import FOLDS, plan_folds
from backend.own_classes.forest import PORTIONS, Lessons, grow, put_into
from backend.own_classes.heldout import held_out_scores
from backend.own_classes.legend import Looks, build_legend
from backend.own_classes.model_folder import folder_name, write_folder
from backend.own_classes.pca import Components
from backend.own_classes.pixels import Places, find_pixels, unclaimed
from backend.own_classes.samples import Label, Samples, read_samples
from backend.stream.tiling import plan_tiles

# Sizes of the head; benchmarks/quality/own_classes.py measures what they are worth.
WINDOWS, SMOOTH, COMPONENTS = (3, 5, 9, 15, 25), 9, 12
# Progress counts tiles; growing one portion of trees takes about as long as so many of them.
PORTION_TILES = 1
# Samples of a class below which the user is warned; `benchmarks.quality.own_classes` shows how accuracy grows.
FEW = 10


@dataclass(frozen=True)
class Lesson:
    """What is learnt from.

    Attributes:
        legend: Classes by index.
        places: Pixels of samples, [n].
        classes: Class index of each, int64 [n].
        x: Features, float32 [n, F].
        components: The linear map that made the first of them from tokens.
    """

    legend: tuple[LandCoverClass, ...]
    places: Places
    classes: IntArray
    x: Tensor
    components: Components

    def forest(self, which: Tensor, portion_done: Callable[[], None]) -> Trees:
        """A forest grown from some of the pixels; every sample counts alike, however many pixels it has."""
        sample = self.places.sample[which.numpy()]
        weights = 1 / np.bincount(sample)[sample]
        lessons = Lessons(
            self.x[which], self.classes[which.numpy()], weights / weights.mean(), len(self.legend),
            len(self.components.bias),
        )  # fmt: skip
        return grow(lessons, portion_done)


class _Pace:
    """Progress over tiles and then forests, heeding a cancel at every portion."""

    def __init__(self, session: Run, tiles: int, forests: int) -> None:
        self._context, self._tiles, self._portions = session.context, tiles, 0
        self.forests(forests)

    def forests(self, count: int) -> None:
        """Say how many there will be."""
        self._total = self._tiles + count * PORTIONS * PORTION_TILES

    def tiles(self, done: int) -> None:
        self._context.reporter.progress(done, self._total)

    def portion(self) -> None:
        self._context.cancel.check()
        self._portions += 1
        self._context.reporter.progress(self._tiles + self._portions * PORTION_TILES, self._total)


def learn(session: Run, path: Path, field: str, title: str, looks: Looks, check: bool) -> dict[str, Any]:
    """Learn the classes of samples and write the model folder that the session's request names.

    Args:
        session: Raster, units and backbone.
        path: Samples (GeoJSON).
        field: Their class.
        title: Of the model.
        looks: Names and colours for some or all of the classes.
        check: Whether accuracy on held-out blocks is measured.

    Returns:
        The facts of the result event.

    Raises:
        SarDinoError: Refused or cancelled; then nothing is left, and an older folder is as it was.
    """
    request, log = session.prepared.request, session.context.reporter.log
    samples = read_samples(path, field, session.scene.source.grid.crs)
    if samples.skipped:
        log("warning", f"{samples.skipped} samples without a shape or a class are left out.")
    model = _blank_model(session)
    places, table, pace = _gathered(session, model, samples, FOLDS + 1 if check else 1)
    lesson = _lesson(session, samples, places, table, looks)
    session.context.cancel.check()
    scores = _held_out(session, lesson, pace) if check else {"not_known": "it was not asked for"}
    if "not_known" in scores:
        pace.forests(1)
    trees = lesson.forest(torch.arange(len(lesson.x)), pace.portion)
    card = _card(session, lesson, trees, title, f"{path.name}, field {field}", scores)
    head = ForestHead(card.arch, len(card.bands), len(card.classes))
    put_into(head, trees, lesson.components)
    model.head = head
    card = write_folder(request.output, model, card, session.context.cancel)
    return session.report(
        outputs={"output": str(request.output)},
        classes=[{"value": c.value, "name": c.name, "color": c.color} for c in card.classes],
        held_out=scores,
        model=card.name,
        backbone=session.card.name,
    )


def own_arch(arch: Arch, trees: Trees | None = None) -> Arch:
    """A backbone's sizes with a head that holds these trees, or one that knows nothing yet."""
    count, nodes = trees.feature.shape if trees else (1, 2)
    return dataclasses.replace(
        arch, head="forest", head_dim=min(COMPONENTS, ForestHead.taps * arch.embed_dim), windows=WINDOWS, smooth=SMOOTH,
        trees=count, tree_nodes=nodes, tree_depth=trees.depth if trees else 1,
    )  # fmt: skip


def _blank_model(session: Run) -> SarViT:
    """The backbone with a head of the right kind, which knows nothing yet."""
    card = session.card
    model = SarViT(own_arch(session.card.arch), len(card.bands), card.tile, card.patch, 1)
    model.backbone.load_state_dict(session.loaded.network.backbone.state_dict())
    return model.to(session.loaded.device).eval()


def _gathered(session: Run, model: SarViT, samples: Samples, fits: int) -> tuple[Places, Table, _Pace]:
    """Pixels of the samples, and their features."""
    frame, card, request = session.scene.frame, session.card, session.prepared.request
    places = find_pixels(samples.items, _transform(session), frame.height, frame.width)
    if not len(places):
        raise InputError(
            f"No sample lies within {request.input} (or the extent asked for).",
            "Check the coordinate systems of samples and raster.",
        )
    overlap = landcover_overlap(card.tile, card.patch, own_arch(card.arch).reach)
    plan = plan_tiles(frame.height, frame.width, card.tile, overlap, card.patch)
    pace = _Pace(session, len(tiles_of(places, plan)), fits)
    return places, gather(model, frame, plan, places, session.loaded.batch, session.context.cancel, pace.tiles), pace


def _transform(session: Run) -> Affine:
    """From (column, row) of the frame, which has the raster's first corner and the model's pixels, to coordinates."""
    down, across = session.scene.factors
    return session.scene.source.grid.transform * Affine.scale(across, down)


def _lesson(session: Run, samples: Samples, places: Places, table: Table, looks: Looks) -> Lesson:
    """Leave out what can't be learnt from, and say so."""
    log = session.context.reporter.log
    labels, frame = [item.label for item in samples.items], session.scene.frame
    valid = np.flatnonzero(table.valid)
    kept, contested = unclaimed(samples.items, places.take(valid), _transform(session), frame.height, frame.width)
    if contested:
        log("warning", f"{contested} pixels lie in samples of two classes and are left out. Do samples overlap?")
    keep = valid[kept]
    used = places.take(keep)
    left_out = len(labels) - len(np.unique(used.sample))
    if left_out:
        log(
            "warning",
            f"{left_out} of {len(labels)} samples are left out: outside of the raster, on pixels without data, or on "
            "those of another sample.",
        )
    seen: list[Label] = [labels[number] for number in np.unique(used.sample)]
    lost = [str(label) for label in dict.fromkeys(labels) if label not in set(seen)]
    if lost and len(set(seen)) > 1:
        log("warning", f"Classes without a usable sample, which the model won't have: {', '.join(lost)[:200]}.")
    legend, index = build_legend(seen, looks)
    classes = np.array([index.get(label, -1) for label in labels], dtype=np.int64)[used.sample]
    counts = Counter(seen)
    for label, number in index.items():
        item, pixels = legend[number], int((classes == number).sum())
        log("info", f"{item.value:>4}  {item.name}: {counts[label]} samples, {pixels} pixels")
    few = [f"{legend[number].name} ({counts[label]})" for label, number in index.items() if counts[label] < FEW]
    if few:
        log("warning", f"Few samples of {', '.join(few)[:200]}: draw {FEW} or more of each, in several places.")
    return Lesson(legend, used, classes, table.features(torch.from_numpy(keep)), table.components)


def _held_out(session: Run, lesson: Lesson, pace: _Pace) -> dict[str, Any]:
    log = session.context.reporter.log
    folds = plan_folds(lesson.places, lesson.classes)
    if folds is None:
        why = "fewer than two classes have samples in two places apart"
        log("warning", f"The accuracy can't be told: {why}. Draw samples of each class in several places.")
        return {"not_known": why}
    pace.forests(folds.count + 1)
    scores = held_out_scores(
        lesson.x, lesson.classes, folds, lesson.legend, lambda which: lesson.forest(which, pace.portion)
    )
    log("info", f"Accuracy on samples held out in turn, in {folds.blocks} blocks of {folds.side} pixels or more:")
    log("info", f"  overall {scores['overall_accuracy']:.2f}, mean IoU {scores['mean_iou']:.2f}")
    for name, found in scores["classes"].items():
        where = f"{found['pixels']} pixels in {found['blocks']} blocks"
        log("info", f"  {name}: F1 {found['f1']:.2f}, IoU {found['iou']:.2f} ({where})")
    for item in lesson.legend:
        if f"{item.value} {item.name}" not in scores["classes"]:
            log("warning", f"Nothing is known of {item.name}: its samples lie in one place. Draw some elsewhere.")
    return scores


def _card(session: Run, lesson: Lesson, trees: Trees, title: str, origin: str, scores: dict[str, Any]) -> ModelCard:
    old, counted = session.card, {}
    for number, item in enumerate(lesson.legend):
        here = lesson.classes == number
        samples = len(np.unique(lesson.places.sample[here]))
        counted[f"{item.value} {item.name}"] = {"samples": samples, "pixels": int(here.sum())}
    learnt = f"Own samples: {origin}, over {Path(session.prepared.request.input).name}"
    return dataclasses.replace(
        old,
        name=folder_name(session.prepared.request.output),
        title=title,
        arch=own_arch(session.card.arch, trees),
        classes=lesson.legend,
        trained_on=(learnt, f"Backbone: model {old.name}, kept as it was", *(f"Backbone: {s}" for s in old.trained_on)),
        metrics={"held_out": scores, "samples": counted},
        limits=("It knows the place and the date of its samples; of others nothing is known.",),
        # Only what the samples were seen without may be missing later.
        bears_missing_bands=len(session.scene.bands) < len(old.bands),
    )
