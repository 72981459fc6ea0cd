"""The table of a model card: scores on real places, beside three baselines that learnt from the same simulated scenes.

    python -m benchmarks.real_places REAL --simulated DIR [DIR ...] --model MODEL
        [--scratch MODEL] [--flood DIR] [--json PATH] [--write]

REAL holds images/ (VV, VH in dB) and labels/ (WorldCover values) of real places, none of which anything here was
trained on. Classes are merged to tree, open, built, water. Rows: the majority class of the training pixels; a random
forest on backscatter (see benchmarks/forest_transfer.py); the network from scratch; the model; the model with the
probabilities of a group summed before the choice. Networks run through the users' own stream. mIoU is over the classes
in a place's labels. With --flood, a folder with labels 0 dry, 1 water, 255 unknown, water is scored too. --write puts
the table into the card of --model, where users see it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from backend.card import ModelCard
from backend.library import CARD
from backend.predict import landcover
from backend.radiometry import Units
from backend.session import Request
from benchmarks.forest_transfer import GROUPS, NAMES, features, train_forest
from training.metrics import Confusion

Map = Callable[[Path], NDArray[np.int16]]
WATER = NAMES.index("water")


def network(folder: Path, summed: bool = False) -> Map:
    """Maps a raster to merged classes with a model folder, through the stream that users run.

    Args:
        folder: Model folder.
        summed: Add up the probabilities of a group before choosing, instead of merging the chosen class.
    """
    groups = [GROUPS[item.value] for item in ModelCard.load(folder / CARD).classes]

    def apply(image: Path) -> NDArray[np.int16]:
        with tempfile.TemporaryDirectory() as scratch:
            output, shares = Path(scratch) / "map.tif", Path(scratch) / "probabilities.tif"
            landcover(Request(str(image), output, folder, units=Units.DB), probabilities=shares if summed else None)
            with rasterio.open(output) as source:
                result: NDArray[np.int16] = GROUPS[source.read(1)]
            if summed:
                with rasterio.open(shares) as source:
                    total = np.zeros((len(NAMES), *source.shape), dtype=np.float32)
                    np.add.at(total, groups, source.read())
                result = np.where(result < 0, -1, total.argmax(axis=0)).astype(np.int16)
        return result

    return apply


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
    return f"{place:16} {name:14} OA {scores['overall_accuracy']:.2f}  mIoU {scores['mean_iou']:.2f}  ({each})"


def reading(table: dict[str, dict[str, Any]]) -> str:
    """The table in a sentence for each place: whether the model is above every baseline in mean IoU."""
    lines = []
    for place, scores in table["this model"].items():
        others = [name for name in table if name not in ("this model", "summed groups")]
        best = max(others, key=lambda name: table[name][place]["mean_iou"])
        ours, theirs = scores["mean_iou"], table[best][place]["mean_iou"]
        lines.append(f"{place}: {'above' if ours > theirs else 'not above'} {best} ({ours:.2f} against {theirs:.2f})")
    return "Mean IoU on merged classes of real places. " + "; ".join(lines) + "."


def rounded(value: Any) -> Any:
    """Figures as they are shown, three decimals."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def main() -> None:
    """Print the table; write it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--simulated", type=Path, nargs="+", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--flood", type=Path)
    parser.add_argument(
        "--scenes", type=int, default=300, help="scenes of each simulated folder that the forest learns from"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="into the card of --model")
    given = parser.parse_args()
    forest, majority = backscatter_forest(given.simulated, given.scenes)
    rows: dict[str, Map] = {"majority class": majority, "random forest": forest}
    if given.scratch:
        rows["from scratch"] = network(given.scratch)
    rows["this model"] = network(given.model)
    rows["summed groups"] = network(given.model, summed=True)
    images = sorted((given.real / "images").glob("*.tif"))
    table = {name: score(apply, images, lambda label: GROUPS[label]) for name, apply in rows.items()}
    for place in (*(image.stem for image in images), "together"):
        for name, scores in table.items():
            print(line(name, place, scores[place]))
    result: dict[str, Any] = {"real_places_merged_classes": table, "reading": reading(table)}
    print(result["reading"])
    if given.flood:
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
