"""The table of a model card: scores on real places, beside baselines that learnt from the same simulated scenes.

    python -m benchmarks.quality.real_places REAL --simulated DIR [DIR ...] --model MODEL
        [--compare "NAME=MODEL" ...] [--fold PLACE=MODEL ...] [--flood DIR] [--json PATH] [--write]

REAL holds images/ (VV, VH in dB) and labels/ (WorldCover values) of real places. Classes are merged to tree, open,
built, water. Rows: the majority class of the training pixels; a random forest on backscatter (see
`benchmarks.quality.forest_transfer`); other networks by --compare, such as the same one from scratch or with frozen
random weights; the model. Networks run through the users' own stream. mIoU is over the classes in a place's labels.

Where the model has learnt from these places, each is mapped by a model that learnt from the others alone: give all of
them by --fold (leave one place out), and the row "this model" holds their scores. With --flood, a folder with labels 0
dry, 1 water, 255 unknown, water is scored too. --write puts the table into the card of --model, where users see it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.radiometry.convert import Units
from benchmarks.quality.forest_transfer import GROUPS, NAMES, features, train_forest
from training.scores.metrics import Confusion

Map = Callable[[Path], NDArray[np.int16]]
WATER = NAMES.index("water")
OURS = "this model"


def network(folder: Path) -> Map:
    """Maps a raster to merged classes with a model folder, through the stream that users run."""

    def apply(image: Path) -> NDArray[np.int16]:
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "map.tif"
            landcover(Request(str(image), output, folder, units=Units.DB))
            with rasterio.open(output) as source:
                result: NDArray[np.int16] = GROUPS[source.read(1)]
        return result

    return apply


def one_left_out(folds: dict[str, Path]) -> Map:
    """Maps each place with the model that never saw it."""
    return lambda image: network(folds[image.stem])(image)


def backscatter_forest(simulated: list[Path], scenes: int) -> tuple[Map, Map]:
    """The forest's map, and the map that is the training pixels' majority class everywhere."""
    forest, y = train_forest(simulated, scenes)
    majority = np.int16(np.bincount(y).argmax())

    def read(image: Path) -> NDArray[np.float32]:
        with rasterio.open(image) as source:
            values: NDArray[np.float32] = source.read([1, 2]).astype(np.float32)
        return values

    def by_forest(image: Path) -> NDArray[np.int16]:
        db = read(image)
        return forest.predict(features(db)).reshape(db.shape[1:]).astype(np.int16)

    return by_forest, lambda image: np.full(read(image).shape[1:], majority)


def score(apply: Map, images: list[Path], truth: Callable[[NDArray[np.uint8]], NDArray[np.int16]]) -> dict[str, Any]:
    """Scores of each place by name, and of all together."""
    total, result = Confusion(NAMES), {}
    for image in images:
        with rasterio.open(image.parents[1] / "labels" / image.name) as source:
            label = truth(source.read(1))
        place = Confusion(NAMES)
        predicted = apply(image)
        place.add(label, predicted)
        total.add(label, predicted)
        result[image.stem] = place.scores()
    return {**result, "together": total.scores()}


def flood_iou(apply: Map, images: list[Path]) -> float:
    """IoU of water, with everything else merged to dry."""
    confusion = Confusion(["dry", "water"])
    for image in images:
        with rasterio.open(image.parents[1] / "labels" / image.name) as source:
            label = source.read(1).astype(np.int16)
        predicted = apply(image)
        confusion.add(np.where(label == 255, -1, label), np.where(predicted < 0, -1, predicted == WATER))
    return float(confusion.scores()["classes"]["water"]["iou"])


def line(name: str, place: str, scores: dict[str, Any]) -> str:
    """One row of the table as text."""
    each = " ".join(f"{key} {item['iou']:.2f}" for key, item in scores["classes"].items())
    return f"{place:16} {name:22} OA {scores['overall_accuracy']:.2f}  mIoU {scores['mean_iou']:.2f}  ({each})"


def reading(table: dict[str, dict[str, Any]]) -> str:
    """The table in a sentence for each place: whether the model is above every baseline in mean IoU."""
    lines = []
    for place, scores in table[OURS].items():
        best = max((name for name in table if name != OURS), key=lambda name: table[name][place]["mean_iou"])
        ours, theirs = scores["mean_iou"], table[best][place]["mean_iou"]
        lines.append(f"{place}: {'above' if ours > theirs else 'not above'} {best} ({ours:.2f} against {theirs:.2f})")
    return "Mean IoU on merged classes of real places. " + "; ".join(lines) + "."


def rounded(value: Any) -> Any:
    """Figures as they are shown, three decimals; counts of pixels as they are."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def named(pairs: Sequence[str]) -> dict[str, Path]:
    """NAME=FOLDER arguments by name; argparse reports one without "="."""
    split = [pair.rpartition("=") for pair in pairs]
    wrong = [folder for name, _, folder in split if not name]
    if wrong:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is not NAME=MODEL")
    return {name: Path(folder) for name, _, folder in split}


def main() -> None:
    """Print the table; write it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--simulated", type=Path, nargs="+", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--compare", nargs="*", default=[], metavar="NAME=MODEL", help="rows of other networks")
    parser.add_argument("--fold", nargs="*", default=[], metavar="PLACE=MODEL", help="model that never saw the place")
    parser.add_argument("--flood", type=Path)
    parser.add_argument("--scenes", type=int, default=300, help="scenes of each folder that the forest learns from")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="into the card of --model")
    given = parser.parse_args()
    try:
        compared, folds = named(given.compare), named(given.fold)
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    images = sorted((given.real / "images").glob("*.tif"))
    left = sorted({image.stem for image in images} - set(folds))
    if folds and left:
        parser.error(f"--fold lacks {', '.join(left)}: every place needs a model that never saw it")
    forest, majority = backscatter_forest(given.simulated, given.scenes)
    rows: dict[str, Map] = {"majority class": majority, "random forest": forest}
    rows |= {name: network(folder) for name, folder in compared.items()}
    rows[OURS] = one_left_out(folds) if folds else network(given.model)
    table = {name: score(apply, images, lambda label: GROUPS[label]) for name, apply in rows.items()}
    for place in (*(image.stem for image in images), "together"):
        for name, scores in table.items():
            print(line(name, place, scores[place]))
    result: dict[str, Any] = {"real_places_merged_classes": table, "reading": reading(table)}
    print(result["reading"])
    if given.flood:
        rows[OURS] = network(given.model)
        scenes = sorted((given.flood / "images").glob("*.tif"))
        result["flood_water_iou"] = {name: flood_iou(apply, scenes) for name, apply in rows.items()}
        print("flood water IoU: " + "  ".join(f"{k} {v:.2f}" for k, v in result["flood_water_iou"].items()))
    result = rounded(result)
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if given.write:
        card = ModelCard.load(given.model / CARD)
        dataclasses.replace(card, metrics={**card.metrics, **result}).save(given.model / CARD)


if __name__ == "__main__":
    main()
