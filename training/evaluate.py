"""Score a model on labelled rasters, mapped as users map them.

    python -m training.evaluate MODEL_DIR DATA [--split test] [--images N] [--json PATH] [--picture PATH]

Each image of the split is mapped as by `python -m backend landcover`, with tiles, blending and resampling, and compared
with its label raster: in one confusion matrix for the split and one per image. WorldCover legends are also scored on
four merged groups (tree, open, built, water) that backscatter can separate, other legends on their own groups if they
have any: by the group of the mapped class ("merged"), and by the group with the highest sum of probabilities ("summed";
the same if the model decides by these groups). The expected calibration error is the difference of confidence and
accuracy. --picture writes labels next to maps, and NAME-scores with confusion matrices and reliability diagrams.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from backend.accuracy.scores import class_indices
from backend.card.model_card import LandCoverClass, ModelCard
from backend.card.registry import CARD, model_folder
from backend.card.worldcover import worldcover_groups
from backend.core.atomic_files import refusing, write_files
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.events import print_lines
from backend.core.supervise import add_progress, supervise
from backend.engines.choice import ENGINES
from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from training.data.dataset import Chip, ChipFolder
from training.data.splits import read_splits
from training.scores.evaluation import Counts, Evaluation
from training.scores.pictures import MAPS_SHOWN, draw_maps, draw_scores

ROWS = 512  # rows of probabilities in memory at a time
MOST_LINES = 20  # images listed by name in the text
# Called with the name, label and mapped values uint8 [H, W] of each image.
Watch = Callable[[str, NDArray[np.uint8], NDArray[np.uint8]], None]


def legend_of(card: ModelCard, folder: ChipFolder) -> list[LandCoverClass]:
    """Return the classes of the model, then those that only the labels have.

    WorldCover's values get its four groups instead of the card's, so that models can be compared; other legends keep
    their groups.
    """
    known = {item.value: item for item in (*folder.facts.classes, *card.classes)}
    labels = (folder.label(index) for index in range(len(folder)))
    labelled = {int(v) for label in labels if label is not None for v in np.unique(label)} - {0}
    values = list(dict.fromkeys((*(item.value for item in card.classes), *sorted(labelled))))
    legend = [known.get(value, LandCoverClass(value, str(value), "#000000")) for value in values]
    groups = worldcover_groups(values)
    return [replace(item, group=group) for item, group in zip(legend, groups)] if groups else legend


def groups_of(legend: Sequence[LandCoverClass]) -> list[str] | None:
    """Return the group of each class; a class without one is its own group. None if no class has a group."""
    named = {item.group for item in legend} - {""}
    # A class that only has the name of a group is not part of it, as in the model's decision.
    alone = [f"{item.name} (class {item.value})" if item.name in named else item.name for item in legend]
    return [item.group or name for item, name in zip(legend, alone)] if named else None


@dataclass(frozen=True)
class Choice:
    """Choose the images to map, and what maps them.

    Attributes:
        split: Split of splits.csv; None for all images.
        most: Take at most so many images, evenly spread over their names; 0 for all.
        device: As for the command line.
        engine: As for the command line.
    """

    split: str | None = None
    most: int = 0
    device: str = "auto"
    engine: str = "auto"


def evaluate(
    model: Path, data: Path, choice: Choice = Choice(), watch: Watch | None = None, context: Context | None = None
) -> Evaluation:
    """Map every labelled image of a folder with a model and count.

    Args:
        model: Model folder.
        data: Data folder with images/ and labels/.
        choice: Images and engine.
        watch: Shown each image.
        context: Receives progress; its cancel ends the evaluation.

    Raises:
        InputError: No labels, an image can't be read, a group of splits.csv is in more than one split, or dataset.toml
            changes the values of the files, which a user's map would not.
        ModelError: The model can't be used.
    """
    card = ModelCard.load(model_folder(model) / CARD)
    if (data / "splits.csv").is_file():
        read_splits(data)  # scores of any split are worth nothing where neighbours leak into training
    folder = ChipFolder(data, card.bands, choice.split)
    if folder.facts.scale != 1 or folder.facts.relative:
        raise InputError(
            f"dataset.toml of {data} has scale or relative, and maps are made from the files as they are.",
            "Write the scale into the files, or score on data of a known level.",
        )
    legend = legend_of(card, folder)
    values, names, groups = [item.value for item in legend], [item.name for item in legend], groups_of(legend)
    result, context = Evaluation(Counts.none(names, groups)), context or Context()
    maps, chosen = MapContext(cancel=context.cancel), _spread(len(folder), choice.most)
    for number, index in enumerate(chosen):
        context.reporter.progress(number, len(chosen))
        entry, chip = folder.entries[index], folder[index]
        if chip.label is None:
            continue
        # Bands and units as dataset.toml gives them; the files themselves may not.
        bands = entry.numbers if all(entry.numbers) or card.allows_missing_bands else None
        with tempfile.TemporaryDirectory() as scratch:
            output, shares = Path(scratch) / "map.tif", Path(scratch) / "probabilities.tif"
            request = replace(
                _request(chip, output, model, bands), units=folder.units, device=choice.device, engine=choice.engine
            )
            landcover(request, probabilities=shares, context=maps)
            counts = Counts.none(names, groups)
            # Some files say only in dataset.toml which values are no data; what is mapped there is no one's error.
            label = np.where(chip.valid, chip.label, 0).astype(np.uint8)
            mapped = _count(counts, label, output, shares, values)
        result.images[entry.name] = counts
        result.total.include(counts)
        if watch is not None:
            watch(entry.name, label, mapped)
    if not result.images:
        raise InputError(f"No labelled image in {data}.", "Put labels/ next to images/, with the same file names.")
    return result


def _request(chip: Chip, output: Path, model: Path, bands: Sequence[int] | None) -> Request:
    return Request(str(chip.path), output, model, bands=bands, further=tuple(map(str, chip.further)))


def _spread(count: int, most: int) -> list[int]:
    return list(range(count)) if not 0 < most < count else [count * i // most for i in range(most)]


def _count(
    counts: Counts, label: NDArray[np.uint8], output: Path, shares: Path, values: Sequence[int]
) -> NDArray[np.uint8]:
    with rasterio.open(output) as source:
        mapped: NDArray[np.uint8] = source.read(1)
    with rasterio.open(shares) as source:
        for top in range(0, source.height, ROWS):
            rows = slice(top, min(top + ROWS, source.height))
            part = source.read(window=Window(0, top, source.width, rows.stop - top))
            counts.add(class_indices(label[rows], values), class_indices(mapped[rows], values), part)
    return mapped


def report(summary: dict[str, Any]) -> str:
    """Format the scores: a table for each legend, and a line for each image."""
    titles = {"merged": "merged groups", "summed": "merged groups, probabilities summed before the choice"}
    parts = [("all classes", summary)] + [(title, summary[key]) for key, title in titles.items() if key in summary]
    lines = []
    for title, part in parts:
        lines += [f"{title}: {_line(part['all'])}"]
        classes = part["all"].get("classes", {})
        if classes:
            lines.append(f"  {'':26}   IoU    F1  precision  recall     pixels")
        for name, item in classes.items():
            figures = f"{item['iou']:.3f} {item['f1']:.3f}  {item['precision']:9.3f}  {item['recall']:6.3f}"
            lines.append(f"  {name:26} {figures} {item['pixels']:10d}")
        images = part["images"]
        if 1 < len(images) <= MOST_LINES:
            lines += [f"  {name}: {_line(scores)}" for name, scores in images.items()]
    if len(summary["images"]) > MOST_LINES:
        lines.append(f"{len(summary['images'])} images; --json has the scores of each.")
    return "\n".join(lines)


def _line(scores: dict[str, Any]) -> str:
    if scores["pixels"] == 0:
        return "no labelled pixel of the legend"
    text = f"OA {scores['overall_accuracy']:.3f}  mIoU {scores['mean_iou']:.3f}  mean F1 {scores['mean_f1']:.3f}"
    return text + (f"  ECE {scores['calibration']['expected_error']:.3f}" if "calibration" in scores else "")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("data", type=Path, help="data folder with images/ and labels/")
    parser.add_argument("--split", help="split of splits.csv to score; default: all images")
    parser.add_argument("--images", type=int, default=0, help="most images to score, evenly spread over their names")
    parser.add_argument("--json", type=Path, help="write every score and the confusion matrices")
    parser.add_argument("--picture", type=Path, help="write labels and maps side by side as PNG, and NAME-scores.png")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--engine", default="auto", choices=ENGINES)
    add_progress(parser)
    return parser.parse_args(arguments)


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    shown: list[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]] = []

    def watch(*image: Any) -> None:
        if options.picture and len(shown) < MAPS_SHOWN:
            shown.append(image)

    for path in filter(None, (options.json, options.picture)):
        path.parent.mkdir(parents=True, exist_ok=True)  # before hours of mapping, not after
    choice = Choice(options.split, options.images, options.device, options.engine)
    result = evaluate(options.model, options.data, choice, watch, context)
    card = ModelCard.load(model_folder(options.model) / CARD)
    summary = {"model": card.name, "data": str(options.data), "split": options.split, **result.summary()}
    if options.json:
        with refusing(options.json):
            write_files({options.json: (json.dumps(summary, indent=2) + "\n").encode()})
    if options.picture:
        draw_maps(shown, card, options.picture)
        draw_scores(summary, options.picture.with_name(f"{options.picture.stem}-scores{options.picture.suffix}"))
    if options.progress == "json":
        context.reporter.result(summary)
    else:
        print_lines(report(summary).splitlines())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 cancelled. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
