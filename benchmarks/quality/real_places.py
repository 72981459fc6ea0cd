"""Make the table of a model card: scores on real places, with baselines that learnt from the same simulated scenes.

    python -m benchmarks.quality.real_places REAL --simulated DIR [DIR ...] --model MODEL
        [--compare "NAME=MODEL" ...] [--fold PLACE=MODEL ...] [--flood DIR] [--json PATH] [--write]

REAL holds images/ (VV, VH in dB) and labels/ (WorldCover values) of real places. Classes are merged to tree, open,
built, water. Rows are the majority class of the training pixels; a random forest on backscatter
(`benchmarks.quality.merged`); other networks by --compare, such as the same one from scratch or with frozen random
weights; and the model. Networks run through the stream that users run. mIoU is over the classes in a place's labels.

If the model has learnt from these places, give by --fold, for each place, a model that learnt from the others (leave
one out); the row "this model" then holds their scores. --flood scores water on a folder with labels 0 dry, 1 water, 255
unknown. --write puts the table into the card of --model, where users see it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.accuracy.scores import Confusion
from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from benchmarks.quality.merged import NAMES, Map, by_forest, by_model, images_of, label_of, learn_forest, line, score

WATER = NAMES.index("water")
OURS = "this model"


def one_left_out(folds: dict[str, Path]) -> Map:
    """Map each place with the model that never saw it."""
    return lambda image: by_model(folds[image.stem])(image)


def flood_iou(apply: Map, images: list[Path]) -> float:
    """Return the IoU of water, with all else merged to dry."""
    confusion = Confusion(["dry", "water"])
    for image in images:
        label, predicted = label_of(image).astype(np.int16), apply(image)
        confusion.add(np.where(label == 255, -1, label), np.where(predicted < 0, -1, predicted == WATER))
    return float(confusion.scores()["classes"]["water"]["iou"])


def reading(table: dict[str, dict[str, Any]]) -> str:
    """Put the table into a sentence for each place: whether the model is above every baseline in mean IoU."""
    lines = []
    for place, scores in table[OURS].items():
        best = max((name for name in table if name != OURS), key=lambda name: table[name][place]["mean_iou"])
        ours, theirs = scores["mean_iou"], table[best][place]["mean_iou"]
        lines.append(f"{place}: {'above' if ours > theirs else 'not above'} {best} ({ours:.2f} against {theirs:.2f})")
    return "Mean IoU on merged classes of real places. " + "; ".join(lines) + "."


def rounded(value: Any) -> Any:
    """Round figures to three decimals, as they are shown; counts of pixels are kept."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def named(pairs: Sequence[str]) -> dict[str, Path]:
    """Parse NAME=FOLDER arguments; argparse reports one without "="."""
    split = [pair.rpartition("=") for pair in pairs]
    wrong = [folder for name, _, folder in split if not name]
    if wrong:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is not NAME=MODEL")
    return {name: Path(folder) for name, _, folder in split}


def options() -> tuple[argparse.Namespace, dict[str, Path], dict[str, Path]]:
    """Parse the command line; return it with the models of --compare by row and of --fold by place."""
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
    left = sorted({image.stem for image in images_of(given.real)} - set(folds))
    if folds and left:
        parser.error(f"--fold lacks {', '.join(left)}: every place needs a model that never saw it")
    return given, compared, folds


def main() -> None:
    """Print the table; write it if asked."""
    given, compared, folds = options()
    images = images_of(given.real)
    forest, classes = learn_forest(given.simulated, given.scenes)
    majority = np.bincount(classes).argmax()
    rows: dict[str, Map] = {
        "majority class": lambda image: np.full(label_of(image).shape, majority, dtype=np.int16),
        "random forest": by_forest(forest),
        **{name: by_model(folder) for name, folder in compared.items()},
        OURS: one_left_out(folds) if folds else by_model(given.model),
    }
    table = {name: score(apply, images) for name, apply in rows.items()}
    for place in (*(image.stem for image in images), "together"):
        for name, scores in table.items():
            print(line(name, place, scores[place]))
    result: dict[str, Any] = {"real_places_merged_classes": table, "reading": reading(table)}
    print(result["reading"])
    if given.flood:
        rows[OURS] = by_model(given.model)
        scenes = images_of(given.flood)
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
