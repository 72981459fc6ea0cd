"""Write network.onnx of a model folder anew, with the answers of PyTorch by which every run checks it.

    python -m training.export_onnx MODEL_DIR [MODEL_DIR …]

Fine-tuning and own classes write the file themselves; this is for folders of older versions, and for weights that came
another way. Weights and the ranges for eight bits stay as they are; card.json gets the file's hash, its names and the
known answers. Every output is then computed by OpenVINO, or by ONNX Runtime where that is missing, and compared with
PyTorch: at most 1e-4 of the largest value is accepted. It takes seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.atomic_files import refusing
from backend.core.cancel import Cancel
from backend.core.errors import ModelError
from backend.core.events import Reporter
from backend.core.supervise import add_progress, supervise
from backend.engines.verify import disagreements
from backend.folder.read import read_tensors
from backend.folder.write import write_model
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


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    parser = argparse.ArgumentParser(prog="python -m training.export_onnx", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL_DIR", help="model folder; its card is replaced")
    add_progress(parser)
    return parser.parse_args(arguments)


def command(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    began = time.monotonic()
    for folder in options.models:
        card = export(folder, cancel)
        reporter.log("info", f"{card.name}: {len(card.network.outputs)} outputs, all as PyTorch gives them")
    reporter.result({"outputs": {"output": str(options.models[-1])}, "seconds": round(time.monotonic() - began, 3)})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 stopped. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
