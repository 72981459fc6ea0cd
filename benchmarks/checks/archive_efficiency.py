"""Measure which part of their time workers of an archive spend on scenes: 1 and 2 workers, and 64 simulated ones.

    python -m benchmarks.checks.archive_efficiency [--scenes 24] [--side 320] [--workers 64] [--seconds 2]

Real work: the same scenes by one worker on one core, and by two on a core each; efficiency is the time of one over
twice the time of two, starting of processes and the manifest included. Simulated: `--workers` processes whose task
sleeps for `--seconds` instead of mapping, then writes what a scene writes; efficiency is the sleep over the time that
passed. On a machine with other load look at the seconds of processors instead: what two workers take together for
the work of one. The last lines count what a scene asks of the disk, of the calls that Python reports to audit hooks
(stat is not among them).
Nothing else should run on the machine. Needs no data; four minutes on two cores.
"""

from __future__ import annotations

import argparse
import collections
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backend.archive.attempts import AttemptBook, Held
from backend.archive.folder import ArchiveFolder
from backend.archive.items import scene_item
from backend.archive.manifest import write_manifest
from backend.archive.task import TaskOptions
from backend.archive.units import Unit
from backend.archive.worker import ArchiveWorker, State, worker_name
from backend.card.model_card import ModelCard
from backend.card.registry import CARD, DEFAULT_MODEL, model_folder
from backend.core.atomic_files import write_files
from backend.maps.request import MapContext
from benchmarks.checks import archive_kills

ROOT = Path(__file__).resolve().parents[2]
EACH = 6  # scenes of a simulated worker
COUNTED = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.listdir", "os.scandir", "os.utime", "os.rmdir"}


class StandIn:
    """Sleep, then write what the task of a scene writes.

    Args:
        seconds: Seconds of sleep.
        raster: Copied as the result.
    """

    def __init__(self, seconds: float, raster: Path) -> None:
        self._seconds, self._raster = seconds, raster.read_bytes()
        self._card = ModelCard.load(model_folder(None) / CARD)

    def __call__(self, unit: Unit, held: Held, context: MapContext) -> None:
        time.sleep(self._seconds)
        path = held.work / f"{unit.name}_landcover.tif"
        write_files({path: self._raster})
        facts = {
            "outputs": {"output": path}, "classes": [1], "device": "none", "engine": "none", "seconds": self._seconds,
            "checks": [],
        }  # fmt: skip
        item = scene_item(unit, facts, self._card, {"task": "landcover", "attempt": held.number, "worker": "none"})
        write_files({held.work / f"{unit.name}.json": json.dumps(item).encode()})


def real(plan: Path, out: Path, workers: int) -> tuple[float, float]:
    """Return the seconds, and those of processors, that so many processes on a core each take for a plan."""
    cores = sorted(os.sched_getaffinity(0))
    began, used = time.monotonic(), _children()
    running = []
    for number in range(workers):
        core = cores[number % len(cores)]
        line = archive_kills.command(plan, out)
        running.append(
            subprocess.Popen(
                line, cwd=ROOT, stdout=subprocess.DEVNULL, preexec_fn=lambda core=core: os.sched_setaffinity(0, {core})
            )
        )
    if any(process.wait() for process in running):
        raise SystemExit("a worker failed")
    return time.monotonic() - began, _children() - used


def _children() -> float:
    """Return the seconds of processors that ended child processes took."""
    times = resource.getrusage(resource.RUSAGE_CHILDREN)
    return times.ru_utime + times.ru_stime


def simulated(folder: Path, raster: Path, workers: int, seconds: float) -> tuple[float, State]:
    """Return the seconds that `workers` simulated workers take for EACH scenes each, and the state at the end."""
    units = [Unit(f"scene{number:05}", (f"scene{number:05}.tif",), "2024-01-01") for number in range(workers * EACH)]
    archive = ArchiveFolder(folder)
    task = TaskOptions()
    archive.open(units, task.recorded(task.check()))
    context = multiprocessing.get_context("fork")
    running = [context.Process(target=_simulate, args=(archive, units, raster, seconds)) for _ in range(workers)]
    began = time.monotonic()
    for process in running:
        process.start()
    for process in running:
        process.join()
    passed = time.monotonic() - began
    return passed, State(archive.finished(), {}, 0)


def _simulate(archive: ArchiveFolder, units: list[Unit], raster: Path, seconds: float) -> None:
    book = AttemptBook(archive, worker_name(), 2, 120.0)
    ArchiveWorker(units, book, StandIn(seconds, raster), MapContext()).run()
    book.close()


def requests(folder: Path, raster: Path) -> tuple[collections.Counter[str], int]:
    """Return the calls of one worker for a number of scenes, and that number."""
    counts: collections.Counter[str] = collections.Counter()
    root = str(folder)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in COUNTED and arguments and str(arguments[0]).startswith(root):
            counts[event] += 1

    units = [Unit(f"scene{number:05}", (f"scene{number:05}.tif",), "2024-01-01") for number in range(100)]
    archive, task = ArchiveFolder(folder), TaskOptions()
    archive.open(units, task.recorded(task.check()))
    sys.addaudithook(hook)
    _simulate(archive, units, raster, 0.0)
    return counts.copy(), len(units)


def main() -> None:
    """Print efficiencies, requests and sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--side", type=int, default=320, help="pixels of a real scene")
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    archive_kills.SIDE = given.side
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        plan = folder / "plan"
        plan.mkdir()
        archive_kills.cut_scenes(plan, given.scenes)
        one, two = real(plan, folder / "one", 1), real(plan, folder / "two", 2)
        print(f"1 worker {one[0]:.1f} s, 2 workers {two[0]:.1f} s: efficiency {one[0] / (2 * two[0]):.2f}")
        print(f"of processors {one[1]:.1f} s and {two[1]:.1f} s together: {one[1] / two[1]:.2f}", flush=True)
        raster = next((folder / "one" / "scenes").glob("*/*_landcover.tif"))
        passed, state = simulated(folder / "many", raster, given.workers, given.seconds)
        ideal = EACH * given.seconds
        print(f"{given.workers} simulated workers: {passed:.1f} s for {ideal:.1f} s: efficiency {ideal / passed:.2f}")
        archive = ArchiveFolder(folder / "many")
        units = [Unit(name, (f"{name}.tif",), "2024-01-01") for name in sorted(state.finished)]
        began = time.monotonic()
        write_manifest(archive, units, state, None)
        count = len(units)
        print(f"manifest of {count} scenes: {time.monotonic() - began:.1f} s to write")
        for path in (archive.manifest, archive.collection, archive.plan):
            print(f"{path.name}: {path.stat().st_size / count:.0f} bytes a scene")
        items = [path.stat().st_size for path in archive.scenes.glob("*/*.json")]
        print(f"item: {sum(items) / len(items):.0f} bytes; model {DEFAULT_MODEL}")
        shutil.rmtree(folder / "many")
        counts, scenes = requests(folder / "counted", raster)
        for event, number in sorted(counts.items()):
            print(f"{event}: {number / scenes:.2f} a scene")


if __name__ == "__main__":
    main()
