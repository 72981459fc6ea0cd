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

from backend.core.errors import SarDinoError
from training.simulation.folder import SimulationRequest, write_folder


def parser() -> argparse.ArgumentParser:
    """Arguments of the command."""
    p = argparse.ArgumentParser(prog="python -m training.simulate", description=__doc__.splitlines()[0])
    p.add_argument("--out", type=Path, required=True, help="new or empty folder to write")
    p.add_argument("--scenes", type=int, required=True, help="number of scenes")
    p.add_argument("--seed", type=int, required=True, help="seed; same seed, same bytes")
    p.add_argument("--size", type=int, default=256, help="rows and columns of a scene (default 256)")
    p.add_argument("--layouts", type=Path, help="folder of land-cover GeoTIFFs with WorldCover codes")
    p.add_argument("--classes", type=int, nargs="+", default=(), help="codes that every scene should hold one of")
    p.add_argument("--procedural-share", type=float, default=0.35, help="share of procedural layouts beside --layouts")
    p.add_argument("--val-groups", nargs="+", default=(), help="layouts (names or beginnings of names) for validation")
    p.add_argument("--val-fraction", type=float, default=0.1, help="share of procedural seed blocks for validation")
    p.add_argument("--label-jitter", type=float, default=0.8, help="misregistration of labels in pixels (default 0.8)")
    p.add_argument("--nodata-chance", type=float, default=0.06, help="share of scenes with a swath edge")
    p.add_argument("--jobs", type=int, default=1, help="processes (does not change the files)")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 refused."""
    given = vars(parser().parse_args(argv))
    jobs = given.pop("jobs")
    begin = time.monotonic()
    try:
        request = SimulationRequest(
            **{**given, "classes": tuple(given["classes"]), "val_groups": tuple(given["val_groups"])}
        )
        counts = write_folder(request, jobs)
    except SarDinoError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - begin
    print(f"{request.scenes} simulated scenes in {request.out}: {counts}, {request.scenes / seconds:.1f} scenes/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
