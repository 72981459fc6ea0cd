"""Calibrate the confidence of a model by labelled data that it did not learn from, and write it into its weights.

    python -m training.calibrate MODEL_DIR DATA [DATA …] [--split val] [--tiles 256] [--seed 0]

Label smoothing and augmentation leave a model less sure than it is right. All logits are divided by one temperature,
that of the highest likelihood of the labels (Guo et al. 2017, arXiv 1706.04599, section 4.2), by scaling the last
layer of the head: the class of a pixel does not change. Each data folder counts the same, whatever its size, as the
confidence should hold in places like those of any. Tiles are cut without augmentation, one from each image as far as
they go. The ranges of `training.quantise` are to be measured again afterwards.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from backend.card.model_card import ModelCard
from backend.core.atomic_files import refusing
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.run_events import report_result
from backend.core.supervise import supervise
from backend.network.forest_head import ForestHead
from backend.network.vit import SarViT
from backend.network.weights import load_model, save_model
from training.data.dataset import ChipFolder
from training.landcover.chips import CropSampler, load_labelled
from training.landcover.merged import legend_of_card
from training.landcover.temperature import Answers, Fit, fit_temperature
from training.run.command_line import measured_parser
from training.run.finetune_config import CropAugmentConfig

BATCH = 8
# Every so many pixels of a tile along both axes are looked at: neighbours say nearly the same.
STEP = 3
PLAIN = CropAugmentConfig(speckle=0.0, gain_common_db=0.0, gain_band_db=0.0, band_drop=0.0, flip=False)


def calibrate(
    model: Path, data: Sequence[Path], split: str | None, tiles: int, seed: int = 0, context: Context | None = None
) -> Fit:
    """Fit the temperature of a model folder, and rewrite its weights and card.

    Raises:
        SarDinoError: Model or data can't be used, or the folder can't be written; it is then unchanged.
    """
    context = context or Context()
    network, card = load_model(model)
    if isinstance(network.head, ForestHead):
        raise InputError("The head of the model is a forest, which has no temperature.", "Use a fine-tuned model.")
    samplers = [_sampler(card, folder, split, seed) for folder in data]
    fit = fit_temperature([_answers(network, sampler, tiles, context) for sampler in samplers])
    network.head.scale(1 / fit.temperature)
    with refusing(model):
        save_model(model, network, card, context.cancel)
    return fit


def _sampler(card: ModelCard, folder: Path, split: str | None, seed: int) -> CropSampler:
    chips = load_labelled([ChipFolder(folder, card.bands, split)], legend_of_card(card.classes))
    return CropSampler(chips, card.bands, card.tile, PLAIN, seed)


def _answers(network: SarViT, sampler: CropSampler, tiles: int, context: Context) -> Answers:
    order = np.random.default_rng(sampler.seed).permutation(len(sampler.chips))[:tiles]
    logits, targets = [], []
    for start in range(0, len(order), BATCH):
        context.cancel.check()
        inputs, labels = sampler.chips_at(order[start : start + BATCH].tolist())
        with torch.inference_mode():
            answer = network(inputs)[:, :, ::STEP, ::STEP].movedim(1, -1)
        labels = labels[:, ::STEP, ::STEP]
        known = labels >= 0
        logits.append(answer[known].numpy())
        targets.append(labels[known].numpy())
        context.reporter.progress(min(start + BATCH, len(order)), len(order))
    return Answers(np.concatenate(logits), np.concatenate(targets))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    return measured_parser("training.calibrate", __doc__, 256, "most images of a folder to look at").parse_args(
        arguments
    )


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    began, tiles = time.monotonic(), max(1, options.tiles)
    fit = calibrate(options.model, options.data, options.split, tiles, options.seed, context)
    context.reporter.log("info", str(fit))
    report_result(context.reporter, began, {"output": options.model})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 cancelled. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
