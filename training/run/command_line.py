"""Share options, run options and disk errors among the command lines of training."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend import __version__
from backend.core.context import Context
from backend.core.errors import ResourceError
from backend.core.events import Reporter
from backend.core.supervise import add_progress


@dataclass(frozen=True)
class RunOptions:
    """Hold the options of a run that are not settings of the training.

    Attributes:
        resume: Continue from the run's checkpoint.
        strict: Refuse images that can't be read; if False, name them and leave them out.
        overwrite: Replace a model that is there already.
        context: Receives progress; its cancel ends the run after the current step, with a checkpoint.
    """

    resume: bool = False
    strict: bool = False
    overwrite: bool = False
    context: Context = field(default_factory=Context)


def run_parser(prog: str, doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of every command that starts or resumes a run.

    Args:
        prog: Name of the module.
        doc: Docstring of the module, whose first line describes the command.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=(doc or "").partition("\n")[0])
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    add_progress(parser)
    return parser


def measured_parser(prog: str, doc: str | None, tiles: int, what: str) -> argparse.ArgumentParser:
    """Return a parser of commands that look at tiles of data to complete a model folder.

    Args:
        prog: Name of the module.
        doc: Docstring of the module, whose first line describes the command.
        tiles: Default of --tiles.
        what: Help of --tiles.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=(doc or "").partition("\n")[0])
    parser.add_argument("model", type=Path, help="model folder, which is changed")
    parser.add_argument("data", type=Path, nargs="+", help="data folder, plain or with splits.csv")
    parser.add_argument("--split", help="split of splits.csv to use; default: all images")
    parser.add_argument("--tiles", type=int, default=tiles, help=f"{what} ({tiles})")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw (0)")
    add_progress(parser)
    return parser


def report_start(reporter: Reporter, command: str, model: str, device: object, data: Sequence[Path], out: Path) -> None:
    """Report the start of a run: command, recipe or backbone, device, data folders and output."""
    reporter.start(
        version=__version__,
        command=command,
        model=model,
        device=str(device),
        input=[str(folder) for folder in data],
        outputs={"output": str(out)},
    )


@contextmanager
def resumable() -> Iterator[None]:
    """Turn an OSError into a refusal that says how to resume.

    Raises:
        ResourceError: The disk is full, or the folder can't be written to. Checkpoints are replaced atomically, so that
            the last one is valid.
    """
    try:
        yield
    except OSError as error:
        hint = "Free the disk or change the folder's permissions, then continue with --resume."
        raise ResourceError(f"{error}.", hint) from error
