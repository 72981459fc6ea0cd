"""Measure a whole `landcover` run against the bare model on as many tiles: the cost of reading, blending and writing.

    python -m benchmarks.speed.limit [--megapixels 100] [--rounds 3] [--engines openvino pytorch] [--json PATH]
        [--device cuda] [--folder DIR]

"landcover" is a whole run in this process: the model is loaded and converted, and a square scene is read, mapped and
written, with overviews and checks. "bare" is the same model on as many tiles in memory, in the same batches; the aim is
a ratio of at most 1.05. "half empty" is a run on a scene of which half is nodata; it should take half as long. The
three run in turn for each engine, and ratios are taken within a round.

On a graphics card (`--device cuda`) the tiles of "bare" lie in its memory, where its answers stay, and the clock stops
when the last one is there; the model is loaded before. Whole runs keep the model between rounds, and the aim is a
ratio of at most 2. The most memory that the process, and the card, have held is printed too.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.cli.shared_options import DEVICES
from backend.core.arrays import FloatArray
from backend.core.cancel import Cancel
from backend.core.errors import SarDinoError
from backend.engines.answer import CLASS_PROBABILITIES
from backend.engines.choice import ENGINES, check_engine
from backend.engines.factory import Engines, Wanted
from backend.engines.job import Job
from backend.maps.landcover import landcover, landcover_overlap
from backend.maps.request import MapContext, Request
from backend.radiometry.convert import normalise
from backend.radiometry.units import Units
from backend.stream.tiles import Model
from backend.stream.tiling import TilePlan, plan_tiles
from benchmarks.speed.scenes import sample_db, write_scene
from benchmarks.speed.timing import interleaved, summary
from tests.support.peak_memory import peak_mib

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


def seconds_of_run(scene: Path, output: Path, folder: Path, engine: str, device: str, context: MapContext) -> float:
    """Return the seconds of a whole run, from opening to the final output."""
    began = time.perf_counter()
    asked = Request(str(scene), output, folder, units=Units.DB, device=device, engine=engine, overwrite=True)
    landcover(asked, context=context if device != "cpu" else None)
    return time.perf_counter() - began


def seconds_on_device(folder: Path, card: ModelCard, device: Any, batch: int, count: int) -> float:
    """Return the seconds of the bare network for `count` tiles that lie on a device, where answers stay.

    Args:
        folder: Of the model.
        card: The model's.
        device: Of PyTorch.
        batch: Tiles at once.
        count: Tiles in all.
    """
    import torch

    from backend.engines.pytorch import TileRunner, outputs
    from backend.network.weights import load_model

    tiles = torch.from_numpy(tiles_in_memory(card, batch)).to(device)
    run = TileRunner(
        partial(outputs, load_model(folder, device)[0], CLASS_PROBABILITIES.outputs), device, batch, print, False
    )
    finished = partial(torch.cuda.synchronize, device) if device.type == "cuda" else lambda: None
    if device.type == "cuda":  # libraries choose their ways of computing in the first calls
        run(tiles), run(tiles)
    finished()
    began = time.perf_counter()
    for first in range(0, count, batch):
        run(tiles[: min(batch, count - first)])
    finished()
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
    plan, output, context = plan_of(card, side, side), scratch / "map.tif", MapContext()
    with ExitStack() as stack:
        bare, batch = bare_seconds(folder, card, engine, device, len(plan), stack)
        timings = interleaved(
            {
                "bare": bare,
                "landcover": lambda: seconds_of_run(scenes[1.0], output, folder, engine, device, context),
                "half empty": lambda: seconds_of_run(scenes[0.5], output, folder, engine, device, context),
            },
            rounds,
        )
    found = {"engine": engine, "megapixels": side * side / 1e6, "tiles": len(plan), "batch": batch}
    return {**found, "redundancy": round(plan.work_ratio(), 4), **memory(device), **summary(timings, "bare")}


def bare_seconds(
    folder: Path, card: ModelCard, engine: str, device: str, count: int, stack: ExitStack
) -> tuple[Callable[[], float], int]:
    """Return a function that gives the seconds of the bare model for `count` tiles, and the tiles of a batch."""
    if device == "cpu":
        model, batch = bare_model(folder, engine, device, stack)
        tiles = tiles_in_memory(card, BATCHES * batch)
        return lambda: seconds_bare(model, tiles, batch, count), batch
    from backend.engines.pytorch import auto_batch, choose_device

    there = choose_device(device)
    batch = auto_batch(card, there)
    return lambda: seconds_on_device(folder, card, there, batch, count), batch


def memory(device: str) -> dict[str, float]:
    """Return the most memory that the process has held, in MiB, and a card."""
    found = {"process_mib": round(peak_mib(), 1)}
    if device == "cuda":
        import torch

        found["card_mib"] = round(torch.cuda.max_memory_reserved() / 2**20, 1)
    return found


def main() -> None:
    """Print a table; write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", nargs="+", choices=ENGINES[1:], help="on a processor; openvino by default")
    parser.add_argument("--device", choices=DEVICES[1:], default="cpu", help="others than cpu run PyTorch")
    parser.add_argument("--model", help="name or folder; the bundled one by default")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help="where scenes are made; a temporary folder by default")
    given = parser.parse_args()
    folder, engines = model_folder(given.model), given.engines or ["openvino" if given.device == "cpu" else "pytorch"]
    try:
        for engine in engines:
            check_engine(engine, given.device, ModelCard.load(folder / CARD))
        with tempfile.TemporaryDirectory(dir=given.folder) as name:
            results = [
                measure(folder, given.megapixels, given.rounds, each, Path(name), given.device) for each in engines
            ]
    except SarDinoError as error:
        parser.exit(1, f"{error.message} {error.hint}\n")
    for found in results:
        print(f"{found['engine']}, {found['megapixels']:.0f} Mpx, {found['tiles']} tiles, work {found['redundancy']}")
        held = f", card {found['card_mib']:.0f} MiB" if "card_mib" in found else ""
        print(f"  batches of {found['batch']}; peak memory: process {found['process_mib']:.0f} MiB{held}")
        for contender, figures in found["contenders"].items():
            print(f"  {contender:12} {figures['seconds']:9.2f} s   {figures['ratio']:.3f}")
    if given.json:
        given.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
