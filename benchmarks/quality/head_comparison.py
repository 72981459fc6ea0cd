"""Compare the heads on one backbone by held-out scores, sharpness, size and time.

    python -m benchmarks.quality.head_comparison DATA --out DIR [--backbone RUN|none] [--recipe finetune_small]
        [--seeds 0 1] [--steps 300] [--split val] [--images 60] [--set key=value ...]

DATA is a labelled data folder with splits. Each head is trained with the same settings, samples and number of steps,
and scored as by `training.evaluate`, on all classes and on merged groups. Sharpness is the mean IoU of pixels within
two of a border of the labels, next to that of the others. Time is that of a training step relative to the linear
head's, measured in turn on one batch, because clocks of shared machines vary. The defaults take about 15 minutes on two
free cores. Started again, it continues, and trains nothing twice.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from backend.accuracy.scores import Confusion, class_indices
from backend.card.arch import FINETUNED_HEADS
from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.errors import InputError, SarDinoError
from training.data.dataset import ChipFolder
from training.evaluate import Choice, evaluate, groups_of, legend_of
from training.finetune import finetune
from training.landcover.chips import CropSampler
from training.landcover.data import load_data
from training.landcover.finetuner import Finetuner
from training.landcover.initial_network import start_from
from training.run.checkpoint import STATE
from training.run.command_line import RunOptions
from training.run.config import load_recipe, override, resolve, resolved
from training.run.finetune_config import FinetuneConfig

REACH = 2  # pixels to each side of a border
ROUNDS = 8
NAMES = tuple(sorted(FINETUNED_HEADS, key=("linear", "conv", "decoder", "detail").index))


def near_border(label: NDArray[np.uint8], reach: int = REACH) -> NDArray[np.bool_]:
    """Return where a label of another class lies within `reach` pixels along rows, columns or both; bool [H, W].

    Args:
        label: uint8 [H, W]; 0 is unlabelled and makes no border.
        reach: Distance in pixels.
    """
    size = 2 * reach + 1
    highest = maximum_filter(label, size, mode="nearest")
    lowest = minimum_filter(np.where(label == 0, 255, label), size, mode="nearest")
    result: NDArray[np.bool_] = (label > 0) & (highest != lowest)
    return result


def score(model: Path, data: Path, split: str, images: int) -> dict[str, Any]:
    """Score a model on a split: overall, near borders and elsewhere, by class and by group."""
    card = ModelCard.load(model / CARD)
    legend = legend_of(card, ChipFolder(data, card.bands, split))
    values, groups = [item.value for item in legend], groups_of(legend)
    sides = {side: Confusion([item.name for item in legend]) for side in ("border", "inside")}

    def watch(_: str, label: NDArray[np.uint8], mapped: NDArray[np.uint8]) -> None:
        truth, predicted, near = class_indices(label, values), class_indices(mapped, values), near_border(label)
        sides["border"].add(truth[near], predicted[near])
        sides["inside"].add(truth[~near], predicted[~near])

    result = evaluate(model, data, Choice(split, images), watch).total
    parts = {"all": result.confusion, **sides}
    scores = {name: confusion.scores() for name, confusion in parts.items()}
    if groups:
        scores |= {f"{name}_merged": confusion.merged(groups).scores() for name, confusion in parts.items()}
    return {**scores, "calibration": result.calibration.scores()}


def train_and_score(given: argparse.Namespace, config: FinetuneConfig) -> dict[str, Any]:
    """Return the result of one head and seed, from its file, or by training, continued where it stopped.

    Raises:
        InputError: The file has other settings.
    """
    name = f"{config.head}-{config.seed}"
    path, model = given.out / f"{name}.json", given.out / name
    facts = {"data": str(given.data), "backbone": given.backbone, "split": given.split, "images": given.images}
    facts["config"] = resolved(config)
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["facts"] != facts:
            raise InputError(f"{path} was made with other settings.", "Give them again, or choose another --out.")
        return found
    print(f"{name}: {config.steps} steps", flush=True)
    run = given.out / f"{name}.run"
    if not (model / CARD).is_file():
        finetune(given.backbone, [given.data], model, config, RunOptions(resume=(run / "checkpoint" / STATE).is_file()))
    result = {"head": config.head, "seed": config.seed, "facts": facts}
    result["scores"] = score(model, given.data, given.split, given.images)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def cost(given: argparse.Namespace, configs: dict[str, FinetuneConfig]) -> dict[str, dict[str, float]]:
    """Return the parameters of each head, and the median time of its training step relative to the linear head's."""
    tuners, batch = {}, None
    for name, config in configs.items():
        torch.manual_seed(0)
        bands = start_from(given.backbone, config.model, name, config.head_dim, config.tile, 1).bands
        data = load_data([given.data], bands, config)
        start = start_from(given.backbone, config.model, name, config.head_dim, config.tile, len(data.classes))
        tuners[name] = Finetuner(start, data, config)
        batch = batch or CropSampler(data.train, bands, config.tile, config.augment, 0).batch(0, config.batch)
    assert batch is not None
    seconds: dict[str, list[float]] = {name: [] for name in tuners}
    for step in range(ROUNDS + 1):
        for name, tuner in tuners.items():
            began = time.perf_counter()
            tuner.step(step, *batch)
            seconds[name].append(time.perf_counter() - began)
    # The first round allocates memory that the others reuse.
    ratios = {name: [a / b for a, b in zip(times[1:], seconds[NAMES[0]][1:])] for name, times in seconds.items()}
    return {
        name: {
            "parameters": sum(p.numel() for p in tuner.model.head.parameters()),
            "step_ratio": statistics.median(ratios[name]),
            "step_seconds": min(seconds[name]),
        }
        for name, tuner in tuners.items()
    }


def table(results: Sequence[dict[str, Any]], costs: dict[str, dict[str, float]]) -> str:
    """Return a line for each head, with means over seeds."""
    columns = {
        "OA": ("all", "overall_accuracy"), "mIoU": ("all", "mean_iou"),
        "border": ("border", "mean_iou"), "inside": ("inside", "mean_iou"),
        "OA merged": ("all_merged", "overall_accuracy"), "mIoU merged": ("all_merged", "mean_iou"),
        "border merged": ("border_merged", "mean_iou"), "inside merged": ("inside_merged", "mean_iou"),
    }  # fmt: skip
    columns = {title: keys for title, keys in columns.items() if keys[0] in results[0]["scores"]}
    widths = [max(len(title), 5) for title in columns]
    titles = [title.rjust(width) for title, width in zip(columns, widths)]
    lines = ["  ".join(["head    ", *titles, "parameters", " step"])]
    for head in dict.fromkeys(result["head"] for result in results):
        mine = [result["scores"] for result in results if result["head"] == head]
        means = [statistics.mean(scores[part][key] for scores in mine) for part, key in columns.values()]
        cells = [f"{mean:{width}.3f}" for mean, width in zip(means, widths)]
        lines.append(
            "  ".join([f"{head:8}", *cells, f"{costs[head]['parameters']:10d}  {costs[head]['step_ratio']:.2f}x"])
        )
    return "\n".join(lines)


def compare(given: argparse.Namespace) -> str:
    """Train and score what is missing, write comparison.json, and return the table.

    Raises:
        SarDinoError: The data, the backbone or a setting can't be used, or DIR holds results of other settings.
    """

    def settings(head: str, seed: int) -> FinetuneConfig:
        # Checked only at the end: heads are compared after the same number of steps, not each at its best.
        fixed = [f"steps={given.steps}", f"val_every={given.steps}", f"head={head}", f"seed={seed}", f"name={head}"]
        return resolve(FinetuneConfig, override(load_recipe(given.recipe), [*given.set, *fixed]))

    if (Path(given.backbone) / CARD).is_file():
        raise InputError(
            "--backbone is a model, whose own head would start trained.", "Give a pre-training run or none."
        )
    given.out.mkdir(parents=True, exist_ok=True)
    results = [train_and_score(given, settings(head, seed)) for seed in given.seeds for head in NAMES]
    costs = cost(given, {head: settings(head, given.seeds[0]) for head in NAMES})
    summary = {"results": results, "cost": costs, "threads": torch.get_num_threads()}
    (given.out / "comparison.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return table(results, costs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backbone", default="none")
    parser.add_argument("--recipe", default="finetune_small")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--split", default="val")
    parser.add_argument("--images", type=int, default=60, help="held-out images that are scored; 0 for all")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    try:
        print(compare(parser.parse_args(arguments)))
    except SarDinoError as error:
        print(f"error: {error.message} {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
