"""Measure a whole `landcover` run with a stand-in for the network: what reading, blending and writing can keep up with.

    python -m benchmarks.speed.pipeline [--megapixels 16] [--rounds 3] [--milliseconds 7.5] [--folder DIR]

The stand-in sleeps for each tile as long as a network of a data-centre card's speed would take (7.5 ms for a megapixel
of the raster), without using a core, and answers with probabilities made beforehand. Everything else is a run as a user
starts it: checks, reading, decoding, blending, choosing, writing, overviews, final checks. Prints seconds, how many
times as long as the network alone, and milliseconds of one core for a megapixel: what a run costs outside its network.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.arrays import FloatArray
from backend.core.memory import hold_little
from backend.core.threads import thread_count
from backend.engines.job import Job
from backend.maps.landcover import landcover
from backend.maps.load import Loaded, ModelCache
from backend.maps.request import MapContext, Request
from backend.radiometry.units import Units
from backend.stream.tiles import Model
from benchmarks.speed.limit import plan_of
from benchmarks.speed.scenes import side_of, write_scene

MADE = 8  # distinct answers


class StandIn:
    """Sleep in place of computing; it stands for an engine and for `backend.engines.factory.Engines`.

    Args:
        card: Card of the model whose answers it imitates.
        seconds: Seconds for a tile.
    """

    name, device, device_name = "stand-in", "cpu", "cpu"

    def __init__(self, card: ModelCard, seconds: float) -> None:
        # As of `backend.engines.portable.PortableEngine`.
        self.batch, self._seconds, self.current = max(1, thread_count() // 2), seconds, self
        hold_little()
        shape = MADE, len(card.classes), card.tile, card.tile
        answers = np.random.default_rng(0).random(shape, dtype=np.float32)
        self._answers: FloatArray = answers / answers.sum(axis=1, keepdims=True)

    @contextmanager
    def runner(self, job: Job) -> Iterator[tuple[Model, str]]:
        """Give the callable for the stream, and the name of the engine."""
        yield self._run, self.name

    def _run(self, tiles: FloatArray) -> list[FloatArray]:
        time.sleep(self._seconds * len(tiles))
        return [self._answers[number % MADE].copy() for number in range(len(tiles))]


class Standing(ModelCache):
    """Give the stand-in, whatever model is asked for."""

    def __init__(self, card: ModelCard, seconds: float) -> None:
        super().__init__()
        self._stand_in: Any = Loaded(card, StandIn(card, seconds))  # type: ignore[arg-type]

    def load(self, *_: Any) -> Loaded:
        """Return the stand-in."""
        found: Loaded = self._stand_in
        return found


def measure(megapixels: float, rounds: int, milliseconds: float, folder: Path) -> dict[str, float]:
    """Return medians: seconds of a run, those over the network's, and milliseconds of one core for a megapixel."""
    card, side, scene = ModelCard.load(model_folder(None) / CARD), side_of(megapixels), folder / "scene.tif"
    write_scene(scene, side, side)
    area, tiles = side * side / 1e6, len(plan_of(card, side, side))
    network = milliseconds / 1e3 * area
    context = MapContext(models=Standing(card, network / tiles))
    request = Request(str(scene), folder / "map.tif", units=Units.DB, device="cpu", overwrite=True)
    seconds, busy = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        landcover(request, context=context)
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - used)
    return {
        "megapixels": area,
        "seconds": statistics.median(seconds),
        "network": network,
        "core": statistics.median(busy) * 1e3 / area,
    }


def main() -> None:
    """Print the figures in a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--milliseconds", type=float, default=7.5, help="of the network, for a megapixel of the raster")
    parser.add_argument("--folder", type=Path, help="where the scene is made; a temporary folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        found = measure(given.megapixels, given.rounds, given.milliseconds, Path(name))
    print("{megapixels:.1f} Mpx: {seconds:.2f} s, network {network:.2f} s; one core {core:.1f} ms/Mpx".format(**found))


if __name__ == "__main__":
    main()
