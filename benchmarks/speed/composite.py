"""Measure time and memory of a composite over rows, dates and layout of its rasters.

    python -m benchmarks.speed.composite [--width 10000] [--rows 512 1024] [--dates 60] [--json PATH]
        [--statistics mean std count] [--filter]

Each row of the table is a run of `python -m backend composite` in a process of its own: seconds, and its peak resident
memory. All dates are one file under several names, so that little disk is needed; each is read by itself. "lines" are
rasters stored in lines instead of tiles. Memory should grow with the width and the number of dates, and not with the
rows: a scene of 100 megapixels has as many rows as columns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rasterio.shutil import copy

from benchmarks.speed.scenes import write_scene

ROOT = Path(__file__).resolve().parents[2]
FIRST = date(2021, 1, 1)
RUN = """
import sys
from backend.__main__ import main
from tests.support.peak_memory import peak_mib
code = main(sys.argv[1:])
print(f"peak {peak_mib():.0f}")
sys.exit(code)
"""


def links(scene: Path, folder: Path, dates: int) -> list[str]:
    """Give a raster the names of several dates, 6 days apart."""
    folder.mkdir()
    paths = [folder / f"S1_{FIRST + timedelta(days=6 * n):%Y%m%d}.tif" for n in range(dates)]
    for path in paths:
        os.link(scene, path)
    return [str(path) for path in paths]


def measure(inputs: list[str], output: Path, options: list[str]) -> tuple[float, float]:
    """Return seconds and peak memory in MiB of a composite."""
    command = [sys.executable, "-c", RUN, "composite", str(output), *inputs, *options, "--progress", "none"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return time.monotonic() - began, float(done.stdout.split("peak")[1])


def main() -> None:
    """Print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--width", type=int, default=10_000)
    parser.add_argument("--rows", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--dates", type=int, nargs="+", default=[60])
    parser.add_argument("--layouts", nargs="+", choices=("tiles", "lines"), default=["tiles", "lines"])
    parser.add_argument("--statistics", nargs="+", default=["mean", "std", "count"])
    parser.add_argument("--filter", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    options = ["--filter"] if given.filter else ["--statistics", *given.statistics]
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for layout in given.layouts:
            for rows in given.rows:
                scene = scratch / f"{layout}-{rows}.tif"
                write_scene(scene, rows, given.width)
                if layout == "lines":
                    tiled = scene.rename(scratch / "tiled.tif")
                    copy(tiled, scene, driver="GTiff", compress="deflate", zlevel=1)
                for dates in given.dates:
                    inputs = links(scene, scratch / f"{layout}-{rows}-{dates}", dates)
                    seconds, peak = measure(inputs, scratch / f"{layout}-{rows}-{dates}.tif", options)
                    cell = {"layout": layout, "rows": rows, "dates": dates, "seconds": seconds, "peak_mib": peak}
                    found.append({**cell, "width": given.width})
                    print(
                        f"{layout:6} {given.width:6} x {rows:6}  {dates:4} dates {seconds:8.1f} s {peak:7.0f} MiB",
                        flush=True,
                    )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
