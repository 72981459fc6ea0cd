"""How long a click of the map tool takes: the first one on a scene, and those after it.

    python -m benchmarks.speed.clicks [SCENE] [--side 1448] [--clicks 20]

Starts the worker that the tool starts (`python -m backend serve`), waits until it has loaded, and asks about random
valid places of SCENE, or of a square of noise of as many pixels as are looked at most. The desktop adds what it takes
to show the layer; `tests/plugin/gui/test_similarity_tool.py` prints the times of both clicks with that (pytest -s).
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from backend.cli.similarity_query import MOST_PIXELS
from benchmarks.speed.memory import ROOT, make_scene


def places(scene: Path, count: int) -> list[tuple[float, float]]:
    """Map coordinates of some random valid pixels."""
    with rasterio.open(scene) as source:
        valid = np.isfinite(source.read(1, masked=True).astype(np.float32).filled(np.nan))
        rows, columns = np.nonzero(valid)
        chosen = np.random.default_rng(0).integers(0, len(rows), count)
        xs, ys = source.xy(rows[chosen], columns[chosen])
    return list(zip(map(float, xs), map(float, ys)))


def ask(process: subprocess.Popen[str], question: dict[str, Any]) -> float:
    """Seconds until the answer; RuntimeError on a refusal."""
    assert process.stdin and process.stdout
    began = time.monotonic()
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "error":
            raise RuntimeError(event["message"])
        if event["event"] == "result":
            break
    return time.monotonic() - began


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path, nargs="?")
    parser.add_argument("--side", type=int, default=math.isqrt(MOST_PIXELS), help="of the scene that is made")
    parser.add_argument("--clicks", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scene = given.scene or Path(name) / "scene.tif"
        if given.scene is None:
            make_scene(scene, given.side, given.side)
        command = [sys.executable, "-m", "backend", "serve"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
            question = {"input": str(scene.resolve()), "output": str(Path(name) / "similarity.tif"), "units": "db"}
            try:
                ask(process, {**question, "points": []})
            except RuntimeError:
                pass  # refused, as it must be: by now everything is loaded
            seconds = [ask(process, {**question, "points": [place]}) for place in places(scene, given.clicks)]
    later = seconds[1:]
    print(
        json.dumps(
            {
                "first_s": round(seconds[0], 2),
                "later_median_s": round(float(np.median(later)), 3),
                "later_longest_s": round(max(later), 3),
            }
        )
    )


if __name__ == "__main__":
    main()
