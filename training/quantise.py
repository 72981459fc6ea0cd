"""Measure the activation ranges that int8 needs, and write them into the card of a model.

    python -m training.quantise MODEL_DIR DATA [DATA …] [--split train] [--tiles 512] [--seed 0]

Random tiles of data like those that the model will map go through the network. The lowest and highest input of each
linear layer and convolution are averaged over the tiles, as extremes of single tiles would make all steps coarser
(Jacob et al., arXiv 1712.05877, section 3.1, average them too). Weights don't change, and only the engine
`openvino-int8` uses the ranges. Measure the loss of accuracy on held-out data:

    python -m training.evaluate MODEL_DIR DATA --split test --engine openvino-int8

It takes a minute for the bundled model on two cores.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from backend.card.model_card import Band, ModelCard
from backend.card.registry import CARD
from backend.core.arrays import DoubleArray, FloatArray
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.run_events import report_result
from backend.core.supervise import supervise
from backend.network.int8 import layers_of
from backend.network.weights import load_model
from backend.radiometry.convert import normalise
from backend.stream.fill import fill_invalid
from training.data.dataset import ChipFolder
from training.data.tiles import extend, random_window
from training.run.command_line import measured_parser

BATCH = 8
TRIES = 20  # draws per tile until one is mostly valid
LEAST_VALID = 0.5


def random_tiles(
    folders: Sequence[ChipFolder], bands: Sequence[Band], tile: int, count: int, seed: int
) -> Iterator[FloatArray]:
    """Yield inputs float32 [bands, tile, tile] from random places of random images, mostly valid.

    Images smaller than a tile are extended by reflection, as in the stream.

    Raises:
        InputError: Too few places are valid.
    """
    rng, found = np.random.default_rng(seed), 0
    every = [(folder, index) for folder in folders for index in range(len(folder))]
    for _ in range(count * TRIES):
        folder, index = every[rng.integers(len(every))]
        entry = folder.entries[index]
        db, valid = folder.read(index, random_window((entry.height, entry.width), tile, rng))
        if valid.mean() < LEAST_VALID:
            continue
        yield extend(fill_invalid(normalise(db, valid, bands), valid), tile)
        found += 1
        if found == count:
            return
    raise InputError(f"Only {found} of {count} tiles are mostly valid.", "Give more data.")


def measure_ranges(network: nn.Module, tiles: Iterator[FloatArray]) -> dict[str, list[float]]:
    """Average the lowest and highest input of each layer over tiles float32 [bands, tile, tile].

    Raises:
        InputError: There is no tile.
    """
    sums: dict[str, DoubleArray] = {}
    count = 0

    def look(name: str, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        flat = inputs[0].flatten(1)
        extremes = torch.stack((flat.amin(dim=1), flat.amax(dim=1))).double().sum(dim=1).numpy()
        sums[name] = sums.get(name, np.zeros(2)) + extremes

    hooks = [layer.register_forward_pre_hook(partial(look, name)) for name, layer in layers_of(network).items()]
    try:
        with torch.inference_mode():
            for batch in _batches(tiles):
                network(torch.from_numpy(batch))
                count += len(batch)
    finally:
        for hook in hooks:
            hook.remove()
    if not count:
        raise InputError("No tile was given.", "Give data.")
    return {name: [round(min(0.0, low), 4), round(max(0.0, high), 4)] for name, (low, high) in _means(sums, count)}


def _means(sums: dict[str, DoubleArray], count: int) -> Iterator[tuple[str, tuple[float, float]]]:
    for name, total in sums.items():
        low, high = (total / count).tolist()
        yield name, (low, high)


def _batches(tiles: Iterator[FloatArray]) -> Iterator[FloatArray]:
    group: list[FloatArray] = []
    for tile in tiles:
        group.append(tile)
        if len(group) == BATCH:
            yield np.stack(group)
            group = []
    if group:
        yield np.stack(group)


def _reported(tiles: Iterator[FloatArray], count: int, context: Context) -> Iterator[FloatArray]:
    for number, tile in enumerate(tiles, 1):
        context.cancel.check()
        yield tile
        context.reporter.progress(number, count)


def quantise(
    model: Path, data: Sequence[Path], split: str | None, tiles: int, seed: int = 0, context: Context | None = None
) -> ModelCard:
    """Measure ranges, write them into the card of a model folder, and return the card.

    Raises:
        SarDinoError: Model or data can't be used, or the card can't be written; it is then unchanged.
    """
    network, card = load_model(model)
    if card.arch.head == "forest":
        raise InputError("The head of the model is a forest, which has no ranges.", "Use a fine-tuned model.")
    folders = [ChipFolder(folder, card.bands, split) for folder in data]
    drawn = random_tiles(folders, card.bands, card.tile, tiles, seed)
    ranges = measure_ranges(network, _reported(drawn, tiles, context or Context()))
    card = replace(card, activation_ranges=ranges)
    try:
        card.save(model / CARD)
    except OSError as error:
        raise InputError(f"{model / CARD} can't be written ({error.strerror}).", "Copy the model folder.") from error
    return card


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    return measured_parser("training.quantise", __doc__, 512, "random tiles to look at").parse_args(arguments)


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    began = time.monotonic()
    card = quantise(options.model, options.data, options.split, max(1, options.tiles), options.seed, context)
    context.reporter.log("info", f"{len(card.activation_ranges)} ranges from {options.tiles} tiles")
    report_result(context.reporter, began, {"output": options.model / CARD})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 cancelled. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
