"""Measure the parts of a small map's time, from `qgis_process run sardino:landcover` to its end, and of a second run.

    python -m benchmarks.speed.startup [--rounds 5] [--side 256] [--json PATH]

A chip of the embedded sample is mapped with the bundled model, in turn by a new `qgis_process` with the packed plugin
in its own profile, and by a warm worker (`python -m backend serve`, as in a QGIS desktop). The worker reports its parts
in the `timings` of its result. The interpreter given to the plugin is a shell script that marks when the worker began
and ended. Figures are medians of each part over the rounds, so that parts add up to the total only nearly.

`qgis` is all before the worker starts: the program, its providers, the plugin, the checks of the algorithm. `python` is
the interpreter with the imports of the backend, and its exit; `end` is what QGIS does afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

import rasterio
from rasterio.windows import Window

from backend.core.threads import thread_count
from benchmarks.speed.timing import interleaved, summary
from tools.package import FOLDER, ROOT, write_folder
from tools.qgis_cli import QgisProcess

SAMPLE = ROOT / "resources" / "sample" / "simulated_s1.tif"
INTERPRETER = """#!/bin/sh
: > "{folder}/began"
"{python}" "$@" | tee "{folder}/events"
: > "{folder}/ended"
"""
QGIS, WARM = "qgis_process", "warm worker"
PARTS = ("qgis", "python", "check", "load", "run", "write", "end")
Parts = dict[str, float]


def make_chip(path: Path, side: int) -> Path:
    """Write a square of the sample scene, from its first corner."""
    with rasterio.open(SAMPLE) as source:
        window = Window(0, 0, side, side)
        profile = {**source.profile, "width": side, "height": side, "transform": source.window_transform(window)}
        with rasterio.open(path, "w", **profile) as file:
            file.write(source.read(window=window))
            file.descriptions, file.scales, file.offsets = source.descriptions, source.scales, source.offsets
    return path


def in_qgis(folder: Path, chip: Path) -> Callable[[], Parts]:
    """Return a function that runs the algorithm in a new QGIS and returns the seconds of its parts."""
    interpreter = folder / "python"
    interpreter.write_text(INTERPRETER.format(folder=folder, python=sys.executable))
    interpreter.chmod(0o755)
    plugin = write_folder(ROOT, folder / "plugin")
    qgis = QgisProcess(folder / "profile", plugin_path=plugin.parent, worker=interpreter)
    qgis.enable(FOLDER, "processing")

    def run() -> Parts:
        launched = time.time()
        qgis.run("sardino:landcover", INPUT=chip, OUTPUT=folder / "cold.tif")
        left = time.time()
        began, ended = ((folder / name).stat().st_mtime for name in ("began", "ended"))
        result = json.loads((folder / "events").read_text().splitlines()[-1])
        outside = {"qgis": began - launched, "python": ended - began - result["seconds"], "end": left - ended}
        return {**outside, **result["timings"]}

    return run


class WarmWorker:
    """Run a warm worker that has mapped the chip once; a context manager."""

    def __init__(self, folder: Path, chip: Path) -> None:
        words = ["landcover", str(chip), str(folder / "warm.tif"), "--overwrite"]
        self._line = json.dumps({"run": words}) + "\n"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "backend", "serve"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self) -> Parts:
        """Map the chip; return seconds by part, with the time outside the worker's own clock as "python"."""
        assert self._process.stdin and self._process.stdout
        began = time.monotonic()
        self._process.stdin.write(self._line)
        self._process.stdin.flush()
        for said in self._process.stdout:
            event: dict[str, Any] = json.loads(said)
            if event["event"] == "error":
                raise RuntimeError(event["message"])
            if event["event"] == "result":
                return {"python": time.monotonic() - began - event["seconds"], **event["timings"]}
        raise RuntimeError("the worker has ended")

    def __enter__(self) -> WarmWorker:
        self.run()
        return self

    def __exit__(self, *error: object) -> None:
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()


def measure(rounds: int, side: int, folder: Path) -> dict[str, Any]:
    """Measure both in turn over some rounds."""
    chip = make_chip(folder / "chip.tif", side)
    cold = in_qgis(folder, chip)
    parts: dict[str, list[Parts]] = {QGIS: [], WARM: []}
    cold()  # compiles the plugin's byte code

    def kept(name: str, run: Callable[[], Parts]) -> Callable[[], float]:
        def timed() -> float:
            parts[name].append(run())
            return sum(parts[name][-1].values())

        return timed

    with WarmWorker(folder, chip) as worker:
        timings = interleaved({QGIS: kept(QGIS, cold), WARM: kept(WARM, worker.run)}, rounds)
    return {
        "side": side,
        "rounds": rounds,
        "threads": thread_count(),
        "processors": os.cpu_count(),
        **summary(timings, QGIS),
        "parts": {name: _medians(every) for name, every in parts.items()},
        "parts_of_runs": parts,
    }


def _medians(every: list[Parts]) -> Parts:
    return {part: round(statistics.median(p[part] for p in every), 3) for part in PARTS if part in every[0]}


def table(found: dict[str, Any]) -> str:
    """Return the table of seconds by part."""
    names = list(found["parts"])
    lines = [f"{'seconds':<10}" + "".join(f"{name:>14}" for name in names)]
    for part in PARTS:
        cells = (found["parts"][name].get(part) for name in names)
        lines.append(f"{part:<10}" + "".join(f"{'-' if cell is None else f'{cell:.2f}':>14}" for cell in cells))
    lines.append(f"{'total':<10}" + "".join(f"{found['contenders'][name]['seconds']:>14.2f}" for name in names))
    anchor = found["anchor_gflops"]
    lines.append(f"{found['side']} x {found['side']} pixels, {found['rounds']} rounds, {found['threads']} threads; "
                 f"anchor {anchor['lowest']:.0f} to {anchor['highest']:.0f} GFLOP/s")  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Print a table; write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=256, help="of the chip, in pixels; at most 384")
    parser.add_argument("--json", type=Path, help="also write every figure")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(given.rounds, given.side, Path(folder))
    print(table(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
