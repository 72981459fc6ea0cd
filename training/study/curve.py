"""Compare a network from DINO with the same network from random weights, over shares of the labels.

All networks have the same head and are trained with the same settings, random draws and number of steps on the same
chips. None is selected on a validation split, which would use labels that the smallest shares don't have. The score is
the mean IoU of one confusion matrix over the test regions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Callable

import numpy as np
import torch
from numpy.typing import NDArray

from backend.accuracy.scores import Confusion
from backend.card.model_card import Band
from backend.core.arrays import FloatArray
from backend.stream.decision import by_groups, decision, group_indices
from training.landcover.chips import CropSampler, LabelledChip
from training.landcover.finetuner import Finetuner
from training.run.finetune_config import FinetuneConfig
from training.study.experiment import Experiment
from training.study.forest import Describe, features, fit_forest, training_pixels
from training.study.ledger import Cell
from training.study.material import Material, tiles_of
from training.study.networks import PRETRAINED, RANDOM

TUNED, FROZEN = "DINO, fine-tuned", "DINO, frozen"
SCRATCH, RANDOM_FROZEN = "from scratch", "random weights, frozen"
FOREST = "random forest on backscatter"
# Initial weights, and whether the backbone is frozen.
NETWORKS = {
    TUNED: (PRETRAINED, False),
    FROZEN: (PRETRAINED, True),
    SCRATCH: (RANDOM, False),
    RANDOM_FROZEN: (RANDOM, True),
}
ARMS = (*NETWORKS, FOREST)
LONGER = "longer"

# Yields mapped and true class indices of a chip, tile by tile.
Mapper = Callable[[LabelledChip], Iterator[tuple[NDArray[Any], NDArray[np.int16]]]]


def curve_cells(experiment: Experiment) -> list[Cell]:
    """Return every run of the comparison; keys are curve/arm/fraction/seed and curve/arm/longer/seed."""
    wanted = experiment.config.curve
    cells = []
    for seed in wanted.seeds:
        for fraction in wanted.fractions:
            cells += [curve_cell(arm, fraction, seed, experiment) for arm in ARMS]
    if wanted.longer:
        cells += [curve_cell(arm, 1.0, wanted.seeds[0], experiment, wanted.longer) for arm in (TUNED, SCRATCH)]
    return cells


def curve_cell(arm: str, fraction: float, seed: int, experiment: Experiment, times: float | None = None) -> Cell:
    """Return one run: an arm on a share of the labels, with `times` the steps if that is given."""
    key = f"curve/{arm}/{LONGER if times else f'{fraction:g}'}/{seed}"
    if arm == FOREST:

        def describe(chip: LabelledChip) -> FloatArray:
            return features(chip.db[list(experiment.material.present)])

        return Cell(key, 0.3, lambda: run_forest(experiment, describe, fraction, seed))
    kind, frozen = NETWORKS[arm]
    finetune = experiment.config.finetune
    steps = round(finetune.steps * (times or 1))
    settings = dataclasses.replace(finetune, steps=steps, freeze_backbone=frozen, seed=seed)
    cost = (times or 1) * (0.4 if frozen else 1.0)
    return Cell(key, cost, lambda: run_network(experiment, kind, fraction, settings))


def run_network(
    experiment: Experiment, kind: str, fraction: float, settings: FinetuneConfig, extra: Sequence[Band] = ()
) -> dict[str, Any]:
    """Train a network on a share of the chips and score it on the test regions.

    Args:
        experiment: The study; its chips have the `extra` bands after those of the card.
        kind: Networks.PRETRAINED or RANDOM.
        fraction: Share of the training chips.
        settings: Settings of the training; its seed also chooses chips and weights.
        extra: Bands in addition to the model's.

    Returns:
        Scores of `score`, the number of "chips", and the mean "loss" of the last tenth of the steps.
    """
    material = experiment.material
    chips = material.share(fraction, settings.seed)
    start = experiment.networks.start(kind, settings, len(material.classes), extra)
    tuner = Finetuner(start, material.data(chips), settings)
    sampler = CropSampler(chips, start.bands, settings.tile, settings.augment, settings.seed)
    with closing(sampler.batches(range(settings.steps), settings.batch)) as batches:
        losses = [tuner.step(*batch) for batch in batches]
    tuner.model.eval()
    last = losses[-max(1, len(losses) // 10) :]
    found = score(experiment, _network_maps(tuner, start.bands, material))
    return {**found, "chips": len(chips), "loss": float(np.mean(last))}


def _network_maps(tuner: Finetuner, bands: Sequence[Band], material: Material) -> Mapper:
    decide, side = decision(material.classes), tuner.config.tile

    @torch.inference_mode()
    def maps(chip: LabelledChip) -> Iterator[tuple[NDArray[Any], NDArray[np.int16]]]:
        tiles = list(tiles_of(chip, side, bands))
        for begin in range(0, len(tiles), tuner.config.batch):
            part = tiles[begin : begin + tuner.config.batch]
            x = torch.from_numpy(np.stack([tile.x for tile in part])).to(tuner.device)
            chances = tuner.model(x).softmax(dim=1).cpu().numpy()
            yield decide(chances.swapaxes(0, 1)), np.stack([tile.target for tile in part])

    return maps


def run_forest(experiment: Experiment, describe: Describe, fraction: float, seed: int) -> dict[str, Any]:
    """Train a random forest on pixels of a share of the chips and score it on the test regions.

    Args:
        experiment: The study.
        describe: Computes features of the pixels of a chip.
        fraction: Share of the training chips.
        seed: Seed of chips, pixels and forest.

    Returns:
        Scores of `score`, and the numbers of "chips" and "pixels".
    """
    material, _, config = experiment
    chips = material.share(fraction, seed)
    x, y = training_pixels(chips, describe, config.forest.pixels, np.random.default_rng((seed, 2)))
    forest = fit_forest(x, y, config.forest, seed, config.jobs)
    decide, count = decision(material.classes), len(material.classes)

    def maps(chip: LabelledChip) -> Iterator[tuple[NDArray[Any], NDArray[np.int16]]]:
        height, width = chip.target.shape
        part = np.s_[:: config.every, :: config.every]
        wanted = describe(chip).reshape(height, width, -1)[part]
        shares = np.zeros((count, wanted.shape[0] * wanted.shape[1]), dtype=np.float32)
        shares[forest.classes_] = forest.predict_proba(wanted.reshape(len(shares[0]), -1)).T
        mapped = np.zeros((height, width), dtype=np.intp)
        mapped[part] = decide(shares).reshape(wanted.shape[:2])
        yield mapped, chip.target

    return {**score(experiment, maps), "chips": len(chips), "pixels": len(y)}


def score(experiment: Experiment, maps: Mapper) -> dict[str, Any]:
    """Score a mapper on the test regions.

    Returns:
        "mean_iou", "overall_accuracy", "group_iou" (mean IoU of groups of classes, if the legend has groups) and
        "classes" (IoU of each by name).
    """
    material, every = experiment.material, experiment.config.every
    confusion = Confusion(material.names)
    part = np.s_[..., ::every, ::every]
    for chip in material.test:
        for mapped, target in maps(chip):
            confusion.add(target[part], mapped[part])
    scores = confusion.scores()
    found = {
        "mean_iou": scores["mean_iou"],
        "overall_accuracy": scores["overall_accuracy"],
        "classes": {name: item["iou"] for name, item in scores["classes"].items()},
    }
    if by_groups(material.classes):
        groups = [str(number) for number in group_indices(material.classes)]
        found["group_iou"] = confusion.merged(groups).scores()["mean_iou"]
    return found
