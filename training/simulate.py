"""Write a folder of simulated Sentinel-1 scenes with land-cover labels.

Command::

    python -m training.simulate --out DIR --scenes 200 --seed 1 [--layouts DIR --val-groups NAME ...] [--jobs 2]

The same seed and arguments give the same bytes. Names, tags and descriptions of all files say that they are simulated.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from backend.core.context import Context
from backend.core.run_events import report_result
from backend.core.supervise import add_progress, supervise
from training.simulation.folder import SimulationRequest, write_folder


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    p = argparse.ArgumentParser(prog="python -m training.simulate", description=__doc__.splitlines()[0])
    p.add_argument("--out", type=Path, required=True, help="new or empty folder to write")
    p.add_argument("--scenes", type=int, required=True, help="number of scenes")
    p.add_argument("--seed", type=int, required=True, help="seed; same seed, same bytes")
    p.add_argument("--size", type=int, default=256, help="rows and columns of a scene (default 256)")
    p.add_argument("--layouts", type=Path, help="folder of land-cover GeoTIFFs with WorldCover codes")
    p.add_argument("--classes", type=int, nargs="+", default=(), help="codes of which every scene should hold one")
    p.add_argument("--procedural-share", type=float, default=0.35, help="share of procedural layouts, with --layouts")
    p.add_argument("--val-groups", nargs="+", default=(), help="layouts (names or beginnings of names) for validation")
    p.add_argument("--val-fraction", type=float, default=0.1, help="share of procedural seed blocks for validation")
    p.add_argument("--label-jitter", type=float, default=0.8, help="misregistration of labels in pixels (default 0.8)")
    p.add_argument("--nodata-chance", type=float, default=0.06, help="share of scenes with a swath edge")
    p.add_argument("--dates", type=int, default=1, help="dates of each scene over a year, an image each (default 1)")
    p.add_argument("--jobs", type=int, default=1, help="number of processes (does not change the files)")
    add_progress(p)
    return p


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    given = dict(vars(options))
    jobs, _ = given.pop("jobs"), given.pop("progress")
    begin = time.monotonic()
    request = SimulationRequest(
        **{**given, "classes": tuple(given["classes"]), "val_groups": tuple(given["val_groups"])}
    )
    counts = write_folder(request, jobs, context)
    seconds = time.monotonic() - begin
    context.reporter.log(
        "info", f"{request.scenes} simulated scenes: {counts}, {request.scenes / seconds:.1f} scenes/s"
    )
    report_result(context.reporter, begin, {"output": request.out}, scenes=counts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 cancelled. Wrong usage ends the process with 2."""
    return supervise(command, parser().parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
