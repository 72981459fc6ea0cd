"""Rewrite network.onnx of a model folder, with the answers of PyTorch by which every run checks it.

    python -m training.export_onnx MODEL_DIR [--probabilities FILE.onnx]

Fine-tuning and own classes write the file themselves; this is for folders of older versions, and for weights that came
another way. Weights and the ranges for eight bits stay as they are; card.json gets the file's hash, its names and the
known answers. Every output is then computed by OpenVINO, or by ONNX Runtime where that is missing, and compared with
PyTorch: at most 1e-4 of the largest value is accepted. It takes seconds.

With --probabilities the folder stays as it is, and FILE gets the network with that output alone, for programs that take
the first one or expect one, such as Deepness; its metadata is in the file (`backend.card.deepness`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.atomic_files import refusing, write_files
from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.errors import ModelError
from backend.core.run_events import report_result
from backend.core.supervise import add_progress, supervise
from backend.engines.verify import disagreements
from backend.folder.read import read_graph, read_tensors
from backend.folder.write import write_model
from backend.graph.graph import PROBABILITIES
from backend.graph.onnx_file import to_bytes
from backend.network.weights import known_answers, network_of


def export(folder: Path, cancel: Cancel | None = None) -> ModelCard:
    """Write network.onnx and the card of a folder, and return the card.

    Raises:
        ModelError: The folder can't be used, or an engine comes to other answers than PyTorch.
        ResourceError: The folder can't be written; it is then as it was.
    """
    card = ModelCard.load(folder / CARD)
    tensors = read_tensors(folder, card)
    known = known_answers(network_of(card, tensors).eval(), card)
    with refusing(folder):
        card = write_model(folder, tensors, card, known, cancel)
    wrong = disagreements(folder, card)
    if wrong:
        raise ModelError(wrong[0], "Report it; PyTorch runs the model (--engine pytorch).")
    return card


def export_probabilities(folder: Path, file: Path) -> None:
    """Write the network of a folder with the probabilities as its only output, for the card's tile.

    An older file is replaced.

    Raises:
        ModelError: The folder can't be used.
        ResourceError: The file can't be written.
    """
    card = ModelCard.load(folder / CARD)
    graph, sides = read_graph(folder, card).only([PROBABILITIES]), (card.tile, card.tile)
    fixed = replace(
        graph, shape=("n", len(card.bands), *sides), outputs={PROBABILITIES: ("n", len(card.classes), *sides)}
    )
    with refusing(file):
        write_files({file: to_bytes(fixed)})


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    parser = argparse.ArgumentParser(prog="python -m training.export_onnx", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL_DIR", help="model folder; its card is replaced")
    parser.add_argument(
        "--probabilities", type=Path, metavar="FILE", help="write only this file, with the probabilities alone"
    )
    add_progress(parser)
    return parser.parse_args(arguments)


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    began = time.monotonic()
    written: Path = options.probabilities or options.model
    if options.probabilities:
        export_probabilities(options.model, written)
    else:
        card = export(options.model, context.cancel)
        context.reporter.log("info", f"{card.name}: {len(card.network.outputs)} outputs, all as PyTorch gives them")
    report_result(context.reporter, began, {"output": written})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 stopped. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
