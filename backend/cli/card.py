"""Print or write the card of a model as JSON, or as a STAC item for catalogues and other programs."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from backend.card.mlm import mlm_item
from backend.card.model_card import ModelCard
from backend.card.model_files import measure_files
from backend.card.registry import CARD, NETWORK, WEIGHTS, model_folder
from backend.core.atomic_files import write_files
from backend.core.context import Context
from backend.core.events import print_lines
from backend.core.run_events import report_result
from backend.output.names import claim_outputs


@dataclass(frozen=True)
class CardRequest:
    """Hold the options of the command `card`.

    Attributes:
        target: Name or folder of a model; None for the default.
        mlm: Whether a STAC item is wanted.
        output: File to write; None to print.
        overwrite: Whether an existing output is replaced.
        printed: Whether the answer is printed as text, not reported.
    """

    target: str | None
    mlm: bool = False
    output: Path | None = None
    overwrite: bool = False
    printed: bool = True


def card(request: CardRequest, context: Context) -> None:
    """Print, report or write a card.

    Raises:
        ModelError: There is no such model, its card is not valid, or its files are not those of the card.
        InputError: The output can't be used.
    """
    began = time.monotonic()
    folder = model_folder(request.target)
    if request.output is None:
        content = _content(folder, request.mlm, "./")
        if request.printed:
            print_lines(_text(content).splitlines())
        else:
            context.reporter.result({"item" if request.mlm else "card": content})
        return
    sources = [str(folder / name) for name in (CARD, WEIGHTS, NETWORK) if (folder / name).exists()]
    with claim_outputs([request.output], sources, request.overwrite, context.cancel, rasters=False):
        text = _text(_content(folder, request.mlm, _way(request.output, folder)))
        write_files({request.output: text.encode()}, context.cancel)
    report_result(context.reporter, began, {"output": request.output})


def _content(folder: Path, mlm: bool, base: str) -> dict[str, Any]:
    found = ModelCard.load(folder / CARD)
    return mlm_item(found, measure_files(folder, found), base) if mlm else found.to_dict()


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _way(output: Path, folder: Path) -> str:
    """Return the way from a file to a folder: a relative reference, or a file URL to another drive of Windows."""
    here, there = Path(os.path.abspath(output)).parent, Path(os.path.abspath(folder))
    try:
        way = quote(Path(os.path.relpath(there, here)).as_posix())
    except ValueError:
        way = there.as_uri()
    return "./" if way == "." else way + "/" if way.startswith((".", "file:")) else f"./{way}/"
