"""Measure what the processor still does for a megapixel in a `landcover` run on a graphics card, where there is none.

    python -m benchmarks.speed.card_host [--megapixels 16] [--cores 16] [--milliseconds 7.5] [--scene 425] [--folder D]

The run takes the way of a card with the processor in its place. A stand-in sleeps in the place of the network (7.5 ms
for a megapixel). What a card would do beside it (converting, cutting, filling, adding up, choosing) is done here,
measured apart and left out; each operation asked of it counts as 10 microseconds instead, what a launch costs.

Prints milliseconds of each thread for a megapixel of the raster, with as many threads as on `--cores` cores; and from
them an estimate for a scene of `--scene` megapixels: threads work side by side, so the busiest one, or the network,
decides. **An estimate, by the cores of this machine; not measured on a card.**
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable
from unittest.mock import patch

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.engines.device import choice
from backend.engines.device.blend import DeviceBlender
from backend.engines.device.rows import DeviceCutter
from backend.engines.job import Job
from backend.engines.pytorch import GPU_TOKENS
from backend.maps.landcover import landcover
from backend.maps.load import Loaded, ModelCache
from backend.maps.request import MapContext, Request
from backend.radiometry.units import Units
from backend.stream.pipeline import Flow
from backend.stream.tiles import Model
from benchmarks.speed.limit import plan_of
from benchmarks.speed.scenes import side_of, write_scene

LAUNCH = 10e-6  # seconds
MADE = 8  # distinct answers
ON_DEVICE = [(DeviceCutter, "read"), (DeviceCutter, "stack"), (DeviceBlender, "add"), (DeviceBlender, "finish")]


class StandIn:
    """Sleep as long as a card would compute; stands for an engine, and for `backend.engines.factory.Engines` too.

    Args:
        card: Of the model whose answers it imitates.
        seconds: For a tile.
    """

    name, device, device_name = "stand-in", "cpu", "cpu"

    def __init__(self, card: ModelCard, seconds: float) -> None:
        self.batch, self._seconds, self.current = GPU_TOKENS // (card.tile // card.patch) ** 2, seconds, self
        answers = np.random.default_rng(0).random((MADE, len(card.classes), card.tile, card.tile), dtype=np.float32)
        self._answers = torch.from_numpy(answers / answers.sum(axis=1, keepdims=True))

    @contextmanager
    def runner(self, job: Job) -> Iterator[tuple[Model, str]]:
        """Give the callable for the stream, and the name of the engine."""
        yield self._run, self.name

    def _run(self, tiles: Any) -> list[torch.Tensor]:
        time.sleep(self._seconds * len(tiles))
        return [self._answers[number % MADE] for number in range(len(tiles))]


class _Counter(TorchDispatchMode):
    """Count operations of a thread."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # Views ask nothing of a device.
        self.count += not function.is_view
        return function(*args, **(kwargs or {}))


class Threads:
    """Measure seconds of each thread of a run, without a card's work, and count operations asked of the card."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.on_device = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure the runs in this context."""
        with ExitStack() as stack:
            guard = Flow._guard
            stack.enter_context(patch.object(Flow, "_guard", lambda flow, stage: self._thread(guard, flow, stage)))
            for owner, name in ON_DEVICE:
                stack.enter_context(patch.object(owner, name, self._there(getattr(owner, name))))
            yield

    def _thread(self, guard: Callable[..., None], flow: Flow, stage: Callable[[], None]) -> None:
        began = time.thread_time()
        guard(flow, stage)
        self._add(time.thread_time() - began)

    def _there(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            began, counter = time.thread_time(), _Counter()
            with counter:
                result = work(*arguments)
            took = time.thread_time() - began
            self.on_device += took
            self._add(counter.count * LAUNCH - took)
            return result

        return run

    def _add(self, seconds: float) -> None:
        name = threading.current_thread().name
        self.seconds[{"MainThread": "network's thread"}.get(name, name)] += seconds


def measure(megapixels: float, cores: int, milliseconds: float, folder: Path) -> dict[str, Any]:
    """Return figures of a run: milliseconds for a megapixel by thread, and those of the parts before and after."""
    card, side, scene = ModelCard.load(model_folder(None) / CARD), side_of(megapixels), folder / "scene.tif"
    write_scene(scene, side, side)
    area = side * side / 1e6
    models, threads = ModelCache(), Threads()
    stand_in: Any = StandIn(card, milliseconds / 1e3 * area / len(plan_of(card, side, side)))
    request = Request(str(scene), folder / "map.tif", units=Units.DB, device="cpu", overwrite=True)
    with ExitStack() as stack:
        stack.enter_context(patch.object(choice, "CARDS", {"cpu"}))
        stack.enter_context(patch.object(models, "load", lambda *_: Loaded(card, stand_in)))
        stack.enter_context(patch.object(os, "sched_getaffinity", lambda _: set(range(cores))))
        stack.enter_context(patch.dict(os.environ, {"OMP_NUM_THREADS": str(cores)}))
        stack.enter_context(threads.measured())
        torch.set_num_threads(1)  # so that all of an operation counts for its thread
        used = time.process_time()
        facts = landcover(request, context=MapContext(models=models))
        used = time.process_time() - used
    each = {name: seconds * 1e3 / area for name, seconds in sorted(threads.seconds.items())}
    after = {name: facts["timings"][name] for name in ("check", "write")}
    return {"megapixels": area, "threads": each, "all": (used - threads.on_device) * 1e3 / area, **after}


def estimate(found: dict[str, Any], scene: float, milliseconds: float) -> tuple[str, float]:
    """Return what a run of a scene waits for most, and its seconds."""
    stages = {**found["threads"], "network": milliseconds}
    slowest = max(stages, key=lambda name: stages[name])
    return slowest, stages[slowest] * scene / 1e3 + found["check"] + found["write"] * scene / found["megapixels"]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=16)
    parser.add_argument("--cores", type=int, default=16, help="for which threads are chosen")
    parser.add_argument("--milliseconds", type=float, default=7.5, help="of the network, for a megapixel of the raster")
    parser.add_argument("--scene", type=float, default=425, help="megapixels of the scene of the estimate")
    parser.add_argument("--folder", type=Path, help="where the scene is made; a temporary folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        found = measure(given.megapixels, given.cores, given.milliseconds, Path(name))
    for thread, milliseconds in found["threads"].items():
        print(f"{thread:20} {milliseconds:6.2f} ms/Mpx")
    print(f"{'all, the run through':20} {found['all']:6.2f} ms/Mpx of one core")
    print(f"before the first row {found['check']:.2f} s, after the last one {found['write']:.2f} s")
    slowest, seconds = estimate(found, given.scene, given.milliseconds)
    print(f"estimate, {given.scene:g} Mpx, {given.cores} cores: {seconds:.1f} s, most of it waiting for: {slowest}")


if __name__ == "__main__":
    main()
