"""Measure a whole `landcover` run against the bare model on as many tiles: the cost of reading, blending and writing.

    python -m benchmarks.speed.limit [--megapixels 100] [--rounds 3] [--engines openvino pytorch] [--json PATH]
        [--device cuda] [--folder DIR]

"landcover" is a whole run in this process: the model is loaded and converted, and a square scene is read, mapped and
written, with overviews and checks. "bare" is the same model on as many tiles in memory, in the same batches; the aim is
a ratio of at most 1.05. "half empty" is a run on a scene of which half is nodata; it should take half as long. The
three run in turn for each engine, and ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.cli.shared_options import DEVICES
from backend.core.arrays import FloatArray
from backend.core.cancel import Cancel
from backend.engines.answer import CLASS_PROBABILITIES
from backend.engines.choice import ENGINES
from backend.engines.factory import Engines, Wanted
from backend.engines.job import Job
from backend.maps.landcover import landcover, landcover_overlap
from backend.maps.request import Request
from backend.radiometry.convert import normalise
from backend.radiometry.units import Units
from backend.stream.tiles import Model
from backend.stream.tiling import TilePlan, plan_tiles
from benchmarks.speed.scenes import sample_db, write_scene
from benchmarks.speed.timing import interleaved, summary

BATCHES = 4  # distinct batches of tiles in memory


def plan_of(card: ModelCard, rows: int, width: int) -> TilePlan:
    """Plan the tiles of a land-cover run."""
    return plan_tiles(rows, width, card.tile, landcover_overlap(card.tile, card.patch, card.arch.reach), card.patch)


def tiles_in_memory(card: ModelCard, count: int) -> FloatArray:
    """Return random tiles of the sample as network input, float32 [count, bands, tile, tile]."""
    db = sample_db()
    rng = np.random.default_rng(0)
    corners = [(rng.integers(db.shape[1] - card.tile), rng.integers(db.shape[2] - card.tile)) for _ in range(count)]
    cut = np.stack([db[:, top : top + card.tile, left : left + card.tile] for top, left in corners])
    return np.stack([normalise(tile, np.isfinite(tile).all(axis=0), card.bands) for tile in cut])


def bare_model(folder: Path, engine: str, device: str, stack: ExitStack) -> tuple[Model, int]:
    """Return the function that a run of this engine calls for each batch, and the tiles of a batch."""
    engines = Engines(folder, ModelCard.load(folder / CARD), Wanted(engine, device), print)
    job = Job(CLASS_PROBABILITIES, True, Cancel(), print)
    return stack.enter_context(engines.runner(job))[0], engines.current.batch


def seconds_bare(model: Model, tiles: FloatArray, batch: int, count: int) -> float:
    """Return the seconds for `count` tiles; each batch is requested before the last one is taken."""
    began, before = time.perf_counter(), iter(())
    for number in range(math.ceil(count / batch)):
        first = number % BATCHES * batch
        answers = model(tiles[first : first + min(batch, count - number * batch)])
        deque(before, maxlen=0)
        before = iter(answers)
    deque(before, maxlen=0)
    return time.perf_counter() - began


def seconds_of_run(scene: Path, output: Path, folder: Path, engine: str, device: str) -> float:
    """Return the seconds of a whole run, from opening to the final output."""
    began = time.perf_counter()
    landcover(Request(str(scene), output, folder, units=Units.DB, device=device, engine=engine, overwrite=True))
    return time.perf_counter() - began


def measure(
    folder: Path, megapixels: float, rounds: int, engine: str, scratch: Path, device: str = "cpu"
) -> dict[str, Any]:
    """Run the bare model, a whole run and a half-empty one in turn, with one engine."""
    card = ModelCard.load(folder / CARD)
    side = round(math.sqrt(megapixels * 1e6))
    scenes = {1.0: scratch / "full.tif", 0.5: scratch / "half.tif"}
    for share, path in scenes.items():
        if not path.exists():
            write_scene(path, side, side, share)
    plan = plan_of(card, side, side)
    with ExitStack() as stack:
        model, batch = bare_model(folder, engine, device, stack)
        tiles = tiles_in_memory(card, BATCHES * batch)
        output = scratch / "map.tif"
        timings = interleaved(
            {
                "bare": lambda: seconds_bare(model, tiles, batch, len(plan)),
                "landcover": lambda: seconds_of_run(scenes[1.0], output, folder, engine, device),
                "half empty": lambda: seconds_of_run(scenes[0.5], output, folder, engine, device),
            },
            rounds,
        )
    found = {"engine": engine, "megapixels": side * side / 1e6, "tiles": len(plan), "batch": batch}
    return {**found, "redundancy": round(plan.work_ratio(), 4), **summary(timings, "bare")}


def main() -> None:
    """Print a table; write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", nargs="+", choices=ENGINES[1:], default=["openvino"])
    parser.add_argument(
        "--device", choices=DEVICES[1:], default="cpu", help="other than cpu only with --engines pytorch"
    )
    parser.add_argument("--model", help="name or folder; the bundled one by default")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help="where scenes are made; a temporary folder by default")
    given = parser.parse_args()
    folder = model_folder(given.model)
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        results = [
            measure(folder, given.megapixels, given.rounds, each, Path(name), given.device) for each in given.engines
        ]
    for found in results:
        print(f"{found['engine']}, {found['megapixels']:.0f} Mpx, {found['tiles']} tiles, work {found['redundancy']}")
        for contender, figures in found["contenders"].items():
            print(f"  {contender:12} {figures['seconds']:9.2f} s   {figures['ratio']:.3f}")
    if given.json:
        given.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
