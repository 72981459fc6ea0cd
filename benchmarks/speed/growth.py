"""Measure time and memory over the size of the raster: time should be linear in the area, memory constant.

    python -m benchmarks.speed.growth [--width 4000] [--rows 1000 2000 4000 8000] [--engine openvino] [--json PATH]
        [--picture PATH] [--folder DIR]

Each size is a run of `python -m backend landcover` with the bundled model: seconds of the whole process, and its peak
resident memory. "off the line" is the relative distance of a time from the straight line through all of them: noise of
the machine, or growth that isn't linear.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from backend.card.registry import model_folder
from backend.engines.choice import ENGINES
from benchmarks.peers.contest import Job, run_ours
from benchmarks.speed.scenes import write_scene

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402 - after the choice of a backend without a screen


def measure(width: int, heights: list[int], engine: str, threads: int, scratch: Path) -> dict[str, Any]:
    """Return seconds and peak memory of each height, and the line through the seconds."""
    job, found = Job(scratch / "scene.tif", model_folder(None), threads), []
    for rows in heights:
        write_scene(job.scene, rows, width)
        outcome = run_ours(job, scratch / "map.tif", engine)
        if outcome.failed:
            raise RuntimeError(outcome.failed)
        found.append({"rows": rows, "megapixels": rows * width / 1e6, "seconds": outcome.whole_s})
        found[-1]["peak_mib"] = outcome.peak_mib
    areas, seconds = (np.array([each[key] for each in found]) for key in ("megapixels", "seconds"))
    slope, start = np.polyfit(areas, seconds, 1)
    for each, expected in zip(found, slope * areas + start):
        each["off_the_line"] = round(float(each["seconds"] / expected - 1), 4)
    return {
        "width": width,
        "engine": engine,
        "sizes": found,
        "seconds_per_megapixel": round(float(slope), 4),
        "seconds_to_start": round(float(start), 2),
        "memory_growth": round(found[-1]["peak_mib"] / found[0]["peak_mib"] - 1, 4),
    }


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw seconds and memory over the area as a PNG."""
    areas = [each["megapixels"] for each in found["sizes"]]
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    axes[0].plot(areas, [each["seconds"] for each in found["sizes"]], "o", color="#1f5fa8")
    ends = np.array([0, max(areas)])
    axes[0].plot(ends, found["seconds_per_megapixel"] * ends + found["seconds_to_start"], color="#1f5fa8", alpha=0.5)
    axes[1].plot(areas, [each["peak_mib"] for each in found["sizes"]], "o-", color="#a8451f")
    for each, text in zip(axes, ("seconds", "peak memory, MiB")):
        each.margins(y=0.15)
        each.set(xlabel="megapixels", title=text, xlim=(0, None), ylim=(0, None))
        each.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print a table; write JSON and a picture if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=4000)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 2000, 4000, 8000])
    parser.add_argument("--engine", choices=ENGINES[1:], default="openvino")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--folder", type=Path, help="where scenes are made; a temporary folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        found = measure(given.width, given.rows, given.engine, given.threads, Path(name))
    for each in found["sizes"]:
        print(
            "{megapixels:7.1f} Mpx {seconds:8.1f} s {peak_mib:8.0f} MiB  off the line {off_the_line:+.1%}".format(
                **each
            )
        )
    print("{seconds_per_megapixel} s/Mpx, memory grew by {memory_growth:.1%}".format(**found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    if given.picture:
        draw(found, given.picture)


if __name__ == "__main__":
    main()
