"""Score models on all labelled real places that no training uses, by merged classes.

    python -m benchmarks.quality.real_sets REAL --models NAME=MODEL [NAME=MODEL ...] [--forest DIR ...] [--json PATH]
        [--simulated DIR] [--write NAME]

REAL holds the folders of `tools.real_data`. The sets are: land cover (three places), reben (the split val, whose groups
of patches are not in train), floods (water against what is labelled as no water), Finland (two directions of three
places), parcels (20 m pixels) and singles. A model that learnt from a set has no meaningful score there: say which.
--simulated adds the split val of a folder of simulated scenes.
Of each set the table has the mean IoU over the classes that its labels hold, the mean over places of the same,
overall accuracy, the share of pixels that are labelled as land and mapped as water, the IoU of built-up and water, the
boundary F1 (borders of classes within two pixels of those of the labels), and of the confidence the expected
calibration error and the area under the curve for telling right from wrong pixels. --forest adds a random forest that
learns from these folders of scenes (`benchmarks.quality.merged`), and the majority class of its pixels. --write puts
the table into the card of one of the models, which users see.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from backend.accuracy.scores import Confusion
from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from backend.radiometry.units import Units
from benchmarks.quality.merged import GROUPS, NAMES, by_forest, images_of, label_of, learn_forest, named, rounded
from training.data.splits import read_splits
from training.scores.boundary import BoundaryScore
from training.scores.calibration import Calibration

READING = (
    "Mean IoU of tree cover, open land, built-up and water on labelled real places, from 0 to 1. No label of land "
    "cover, floods, Finland and parcels was used in training (floods and Finland were seen unlabelled before); "
    "reben are patches of other groups than its own; singles are places that it learnt from."
)
OURS = "this model"
WATER = NAMES.index("water")
# Target of a pixel that is labelled as no water.
DRY = len(NAMES)
# Labels from optical images, or of flooded vegetation: no score.
WEAK = ("Pakistan", "Mekong", "jja10", "qxb32", "c2sms_20170530")
# A merged class index [H, W], -1 for none, and its confidence [H, W] or None, of an image.
Mapped = tuple[NDArray[np.int16], "NDArray[np.float32] | None"]
Mapper = Callable[[Path], Mapped]


@dataclass(frozen=True)
class RealSet:
    """Describe a set: its folder, and which of its images are scored."""

    folder: str
    split: str = ""
    floods: bool = False

    def images(self, real: Path) -> list[Path]:
        """Return the images that are scored."""
        folder = real / self.folder
        images = [image for image in images_of(folder) if (folder / "labels" / image.name).is_file()]
        if self.split:
            names = {row["name"] for row in read_splits(real / self.folder) if row["split"] == self.split}
            images = [image for image in images if image.stem in names]
        return [image for image in images if not any(word in image.stem for word in WEAK)]

    def target(self, image: Path) -> NDArray[np.int16]:
        """Return the merged class index of each pixel; -1 where unlabelled, DRY where labelled as no water."""
        label = label_of(image)
        target = GROUPS[label].copy()
        if self.floods:
            target[label == 1] = DRY
        return target

    def bordered(self, mapped: NDArray[np.int16], target: NDArray[np.int16]) -> tuple[NDArray[np.int16], ...]:
        """Return map and labels with the classes whose borders the labels have: water and not, or all."""
        if not self.floods:
            return mapped, target
        water, labelled = (np.where(each < 0, -1, each == WATER).astype(np.int16) for each in (mapped, target))
        return water, labelled


SETS = {
    "land cover": RealSet("landcover_dualpol"),
    "reben": RealSet("reben", split="val"),
    "floods": RealSet("floods_dualpol", floods=True),
    "finland": RealSet("finland_forest"),
    "parcels": RealSet("parcels_20m"),
    "singles": RealSet("landcover_singles"),
}


def model_mapper(model: Path, context: MapContext) -> Mapper:
    """Map with a model folder through the stream that users run."""

    def apply(image: Path) -> Mapped:
        with tempfile.TemporaryDirectory() as scratch:
            output, confidence = Path(scratch) / "map.tif", Path(scratch) / "confidence.tif"
            request = Request(str(image), output, model, units=Units.DB, accept_values=True)
            landcover(request, confidence, context=context)
            with rasterio.open(output) as classes, rasterio.open(confidence) as sure:
                return GROUPS[classes.read(1)], sure.read(1)

    return apply


def forest_mappers(folders: Sequence[Path], scenes: int) -> Iterator[tuple[str, Mapper]]:
    """Yield the majority class of the pixels of some scenes, and a random forest that learnt from them."""
    forest, classes = learn_forest(folders, scenes)
    majority, mapped = int(np.bincount(classes).argmax()), by_forest(forest)
    yield "majority class", lambda image: (np.full(label_of(image).shape, majority, dtype=np.int16), None)
    yield "random forest", lambda image: (mapped(image), None)


def held_ious(confusion: Confusion) -> dict[str, float]:
    """Return the IoU of each class that the labels hold."""
    each = confusion.scores()["classes"]
    return {name: float(each[name]["iou"]) for name, row in zip(confusion.names, confusion.counts) if row.sum()}


def score_set(item: RealSet, images: Sequence[Path], mapper: Mapper) -> dict[str, float]:
    """Score the maps of a set; figures from 0 to 1."""
    names = [*NAMES, "dry"]
    confusion, calibration, boundary = Confusion(names), Calibration(), BoundaryScore()
    sure, right, places = [], [], []
    land = false_water = 0
    for image in images:
        target = item.target(image)
        mapped, confidence = mapper(image)
        binary = np.where((target == DRY) & (mapped >= 0) & (mapped != WATER), DRY, mapped)
        seen = (target >= 0) & (mapped >= 0)
        if not seen.any():
            continue
        boundary.add(*item.bordered(mapped, target))
        place = Confusion(names)
        place.add(np.where(seen, target, -1), np.where(seen, binary, -1))
        confusion.include(place)
        places.append(np.mean(list(held_ious(place).values())))
        dry = seen & (target != WATER)
        land, false_water = land + int(dry.sum()), false_water + int((dry & (mapped == WATER)).sum())
        if confidence is not None:
            calibration.add(np.where(seen, target, -1), binary, confidence)
            sure.append(confidence[seen])
            right.append((binary == target)[seen])
    held = held_ious(confusion)
    figures = {
        "mean_iou": float(np.mean(list(held.values()))),
        "of_places": float(np.mean(places)),
        "overall_accuracy": float(confusion.scores()["overall_accuracy"]),
        "false_water": false_water / max(land, 1),
        **{f"iou_{name}": value for name, value in held.items()},
    }
    if (f1 := boundary.f1()) is not None:
        figures["boundary_f1"] = f1
    if sure and 0 < np.concatenate(right).mean() < 1:
        figures["calibration_error"] = calibration.scores()["expected_error"]
        figures["confidence_auc"] = float(roc_auc_score(np.concatenate(right), np.concatenate(sure)))
    return figures


def show(table: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print one row for each set and model."""
    for name, rows in table.items():
        for model, figures in rows.items():
            cells = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
            print(f"{name:10} {model:24} {cells}")


def write_card(model: Path, name: str, table: dict[str, dict[str, dict[str, float]]]) -> None:
    """Put the table into the card of a model; its own row is called "this model"."""
    card = ModelCard.load(model / CARD)
    rows = {
        f"real places: {place}": {OURS if row == name else row: figures for row, figures in each.items()}
        for place, each in table.items()
    }
    kept = {key: value for key, value in card.metrics.items() if key == "validation"}
    dataclasses.replace(card, metrics={**kept, **rounded(rows), "reading": READING}).save(model / CARD)


def main() -> None:
    """Print the table; write it if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=MODEL")
    parser.add_argument("--forest", type=Path, nargs="*", default=[], help="scenes that a random forest learns from")
    parser.add_argument("--scenes", type=int, default=300, help="most scenes of each of those folders")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--simulated", type=Path, help="simulated scenes, whose split val is scored too")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", default="", metavar="NAME", help="write into the card of this model")
    given = parser.parse_args()
    context, folders = MapContext(), named(given.models)
    if given.write and given.write not in folders:
        parser.error(f"--write {given.write}: no such name in --models")
    mappers = dict(forest_mappers(given.forest, given.scenes)) if given.forest else {}
    mappers |= {name: model_mapper(folder, context) for name, folder in folders.items()}
    sets = {name: SETS[name] for name in given.sets}
    if given.simulated:
        sets["simulated"] = RealSet(str(given.simulated.resolve()), split="val")
    images = {name: item.images(given.real) for name, item in sets.items()}
    table = {
        name: {model: score_set(item, images[name], mapper) for model, mapper in mappers.items()}
        for name, item in sets.items()
        if images[name]
    }
    show(table)
    if given.json:
        given.json.write_text(json.dumps(rounded(table), indent=2) + "\n", encoding="utf-8")
    if given.write:
        write_card(folders[given.write], given.write, table)


if __name__ == "__main__":
    main()
