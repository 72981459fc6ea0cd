"""Measure how long pre-training takes until its first step is done, with files that it has not seen and has seen.

    python -m benchmarks.speed.training_start --data FOLDER [FOLDER …] [--recipe cpu_small] [--json PATH]

Two runs of `python -m training.pretrain` in new processes share a cache folder that is empty at first: the first run
looks at every file ("new files"), the second remembers them ("known files"). A run is ended after its first step. Both
read all images into memory and draw the first pictures, as every run does. The system may still have the files in its
memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.package import ROOT

LONGEST_S = 600


def first_step(data: list[Path], recipe: str, folder: Path) -> float:
    """Return the seconds from the start of a run to its first row of log.csv.

    Args:
        data: Data folders.
        recipe: Name of a recipe.
        folder: Holds the cache, and the runs.

    Raises:
        RuntimeError: The run ended without a step, or took longer than LONGEST_S.
    """
    run = Path(tempfile.mkdtemp(dir=folder)) / "run"
    words = ["--recipe", recipe, "--data", *map(str, data), "--out", str(run), "--set", "run.log_every=1"]
    said = folder / "said.txt"
    began = time.monotonic()
    with said.open("w") as file, subprocess.Popen(
        [sys.executable, "-m", "training.pretrain", *words, "--progress", "none"],
        cwd=ROOT, env={**os.environ, "SARDINO_CACHE": str(folder / "cache")}, stdout=file, stderr=file,
    ) as process:  # fmt: skip
        try:
            while not _has_row(run / "log.csv"):
                if process.poll() is not None or time.monotonic() - began > LONGEST_S:
                    process.kill()
                    raise RuntimeError(f"No step was done: {said.read_text()}")
                time.sleep(0.02)
            return time.monotonic() - began
        finally:
            process.kill()


def _has_row(log: Path) -> bool:
    return log.is_file() and log.read_bytes().count(b"\n") >= 2


def main() -> None:
    """Measure, print and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, nargs="+", type=Path)
    parser.add_argument("--recipe", default="cpu_small")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = [path.resolve() for path in options.data]
        found = {kind: first_step(data, options.recipe, Path(folder)) for kind in ("new files", "known files")}
    for kind, seconds in found.items():
        print(f"{kind:<12} first step after {seconds:.1f} s")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
