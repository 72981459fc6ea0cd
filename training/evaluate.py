"""Score a model on labelled rasters, through the same stream that users run.

    python -m training.evaluate MODEL_DIR DATA [--split test] [--json PATH] [--picture PATH]

Every image of the split is mapped as `python -m backend landcover` maps it, tiles, blending and resampling included,
and held against its label raster in one confusion matrix for the split and one for each image. Legends of WorldCover
values are scored on four merged groups too (tree, open, built, water), which backscatter can be expected to tell apart.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from backend.card import ModelCard
from backend.errors import InputError, SarDinoError
from backend.library import CARD, model_folder
from backend.predict import landcover
from backend.radiometry import Units
from backend.session import Request
from training.dataset import ChipFolder
from training.metrics import MERGED, Confusion, class_indices


@dataclass
class Evaluation:
    """Confusion by image and over all, and the maps for a picture.

    Attributes:
        total: All images together.
        images: Each image by name.
        maps: Name, label and predicted values [H, W] of each image.
    """

    total: Confusion
    images: dict[str, Confusion] = field(default_factory=dict)
    maps: list[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]] = field(default_factory=list)

    def summary(self, values: Sequence[int]) -> dict[str, Any]:
        """Scores as plain types, by class and, for a WorldCover legend, by merged group."""
        result: dict[str, Any] = {"all": self.total.scores()}
        result["images"] = {name: confusion.scores() for name, confusion in self.images.items()}
        if all(value in MERGED for value in values):
            groups = {name: MERGED[value] for name, value in zip(self.total.names, values)}
            result["merged"] = {
                "all": self.total.merged(groups).scores(),
                "images": {name: confusion.merged(groups).scores() for name, confusion in self.images.items()},
            }
        return result


def legend_of(card: ModelCard, folder: ChipFolder) -> tuple[list[int], list[str]]:
    """Values and names that labels and model have between them: the model's, then those only the labels have."""
    named = {item.value: item.name for item in (*folder.facts.classes, *card.classes)}
    labelled = {int(v) for chip in folder if chip.label is not None for v in np.unique(chip.label)} - {0}
    values = [item.value for item in card.classes]
    values += sorted(labelled - set(values))
    return values, [named.get(value, str(value)) for value in values]


def evaluate(model: Path, data: Path, split: str | None = None, device: str = "auto") -> tuple[Evaluation, list[int]]:
    """Map every labelled image of a folder with a model and count.

    Args:
        model: Model folder.
        data: Data folder with images/ and labels/.
        split: Split of splits.csv; None for all images.
        device: As for the command line.

    Returns:
        The counts, and the class values in the order of their indices.

    Raises:
        InputError: No labels, or an image can't be read.
        ModelError: The model can't be used.
    """
    card = ModelCard.load(model_folder(model) / CARD)
    folder = ChipFolder(data, card.bands, split)
    values, names = legend_of(card, folder)
    units = Units(folder.facts.bands[0].unit) if folder.facts.bands else Units.AUTO
    result = Evaluation(Confusion(names))
    with tempfile.TemporaryDirectory() as scratch:
        for index, chip in enumerate(folder):
            if chip.label is None:
                continue
            output = Path(scratch) / f"{index}.tif"
            landcover(Request(str(chip.path), output, model, units=units, device=device))
            with rasterio.open(output) as source:
                predicted = source.read(1)
            name = folder.names[index]
            truth = np.where(predicted > 0, class_indices(chip.label, values), -1)
            result.images[name] = Confusion(names)
            for confusion in (result.total, result.images[name]):
                confusion.add(truth, class_indices(predicted, values))
            result.maps.append((name, chip.label, predicted))
    if not result.images:
        raise InputError(f"No labelled image in {data}.", "Put labels/ beside images/, with the same stems.")
    return result, values


def draw(result: Evaluation, card: ModelCard, path: Path) -> None:
    """Write a picture: label beside map for each image, at most eight."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    table = np.ones((256, 3))
    for item in card.classes:
        table[item.value] = to_rgb(item.color)
    shown = result.maps[:8]
    figure, axes = pyplot.subplots(len(shown), 2, figsize=(9, 4 * len(shown) + 1), squeeze=False)
    for row, (name, label, predicted) in zip(axes, shown):
        for axis, values, title in zip(row, (label, predicted), ("labels", "map")):
            axis.imshow(table[values], interpolation="nearest")
            axis.set_title(f"{name}: {title}")
            axis.set_axis_off()
    handles = [Patch(facecolor=item.color, edgecolor="0.5", label=item.name) for item in card.classes]
    figure.legend(handles=handles, loc="lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)


def report(summary: dict[str, Any]) -> str:
    """The scores as text."""
    lines = []
    parts = [("all classes", summary)] + ([("merged groups", summary["merged"])] if "merged" in summary else [])
    for title, part in parts:
        lines.append(f"{title}:")
        for name, scores in [("together", part["all"]), *part["images"].items()]:
            if scores["pixels"] == 0:
                lines.append(f"  {name}: no labelled pixel of the legend")
                continue
            lines.append(f"  {name}: OA {scores['overall_accuracy']:.3f}  mIoU {scores['mean_iou']:.3f}")
            each = "  ".join(f"{key} {item['iou']:.2f}" for key, item in scores["classes"].items())
            lines.append(f"    IoU: {each}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("data", type=Path, help="data folder with images/ and labels/")
    parser.add_argument("--split", help="split of splits.csv; all images without")
    parser.add_argument("--json", type=Path, help="write every score")
    parser.add_argument("--picture", type=Path, help="write labels beside maps as PNG")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    args = parser.parse_args(arguments)
    try:
        result, values = evaluate(args.model, args.data, args.split, args.device)
        card = ModelCard.load(model_folder(args.model) / CARD)
    except SarDinoError as error:
        print(f"error: {error.message} {error.hint}", file=sys.stderr)
        return 1
    summary = result.summary(values)
    print(report(summary))
    if args.json:
        args.json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    if args.picture:
        draw(result, card, args.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
