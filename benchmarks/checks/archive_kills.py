"""Kill processes at random while an archive is made, and count what was lost, doubled or half written.

    python -m benchmarks.checks.archive_kills [--scenes 200] [--kills 50] [--seed 1] [--dask]

Cuts small scenes from the simulated sample, and maps them once undisturbed. Then maps them again with two processes
of `python -m backend archive` that are killed (SIGKILL) at random moments and started again at once. With --dask the
second half of the kills hits a Dask scheduler, its two workers, and the command that gives them work. A scene is lost
if it isn't finished at the end, doubled if the manifest names it more than once, half written if its map isn't byte for
byte that of the undisturbed run, or a file is missing. Needs no data; about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import rasterio
from rasterio.windows import Window

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "resources" / "sample" / "simulated_s1.tif"
SIDE = 64
DEAD_AFTER_S = 3.0
PAUSE_S = 0.05
# A worker of Dask is killed for good with what it started.
GROUP = {"start_new_session": True} if sys.platform != "win32" else {}


def cut_scenes(folder: Path, count: int) -> None:
    """Write `count` scenes of SIDE pixels, each at a place of its own in the sample."""
    with rasterio.open(SAMPLE) as source:
        profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "width": SIDE, "height": SIDE, "crs": source.crs}
        for number in range(count):
            column, row = (number * 7) % (source.width - SIDE), (number * 5) % (source.height - SIDE)
            window = Window(column, row, SIDE, SIDE)
            values = source.read(window=window).astype("float32") * source.scales[0]
            path = folder / f"scene{number:04}.tif"
            with rasterio.open(path, "w", transform=source.window_transform(window), nodata=-327.68, **profile) as file:
                file.write(values)
                file.descriptions = source.descriptions


def command(plan: Path, out: Path, *more: str) -> list[str]:
    """Return the command line of a worker."""
    fixed = ["--units", "db", "--dead-after", str(DEAD_AFTER_S), "--progress", "none", "--accept-values"]
    return [sys.executable, "-m", "backend", "archive", str(plan), "--out", str(out), *fixed, *more]


class Herd:
    """Run processes that are started again when they are killed.

    Args:
        commands: Command lines by name.
    """

    def __init__(self, commands: dict[str, list[str]]) -> None:
        self._commands = commands
        self._running = {name: self._start(name) for name in commands}

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
        return subprocess.Popen(
            self._commands[name], cwd=ROOT, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, **GROUP
        )

    def kill_one(self) -> str:
        """Kill a process and start another in its place; return its name."""
        name = random.choice(list(self._commands))
        _kill(self._running[name])
        self._running[name] = self._start(name)
        return name

    def restart_ended(self) -> None:
        """Start those again that have ended by themselves, such as a command whose scheduler was killed."""
        for name, process in self._running.items():
            if process.poll() is not None:
                self._running[name] = self._start(name)

    def close(self) -> None:
        for process in self._running.values():
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL) if GROUP else process.kill()
    except ProcessLookupError:
        pass
    process.wait()


def finished(out: Path) -> int:
    """Return the number of finished scenes."""
    return len(list((out / "scenes").iterdir())) if (out / "scenes").is_dir() else 0


def disturb(commands: dict[str, list[str]], out: Path, kills: int, until: int) -> dict[str, int]:
    """Kill processes at random moments, spread over the work, until `until` scenes are finished and all are killed."""
    herd, killed, first = Herd(commands), dict.fromkeys(commands, 0), finished(out)
    try:
        while sum(killed.values()) < kills or finished(out) < until:
            share = (finished(out) - first) / max(1, until - first)
            time.sleep(PAUSE_S + random.random() / 4)
            if sum(killed.values()) < min(kills, 1 + share * kills):
                killed[herd.kill_one()] += 1
            elif finished(out) < until:
                herd.restart_ended()
            else:
                killed[herd.kill_one()] += 1
    finally:
        herd.close()
    return killed


def dask_commands(file: Path, line: list[str]) -> dict[str, list[str]]:
    """Return the command lines of a Dask scheduler, two workers, and the command that gives them work."""
    start = [sys.executable, "-m"]
    more = ["--scheduler-file", str(file)]
    worker = [*start, "distributed.cli.dask_worker", *more, "--nthreads", "1", "--no-dashboard"]
    here = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    return {
        "scheduler": [*start, "distributed.cli.dask_scheduler", *more, *here],
        "worker 1": worker,
        "worker 2": worker,
        "command": [*line, "--cluster", str(file)],
    }


def judge(out: Path, reference: Path, names: Sequence[str]) -> dict[str, int]:
    """Return how many scenes were lost, doubled or half written, and what else was left."""
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    done = [row["name"] for row in rows if row["status"] == "finished"]
    half = 0
    for name in done:
        whole = sorted(p.name for p in (reference / "scenes" / name).iterdir())
        there = sorted(p.name for p in (out / "scenes" / name).iterdir())
        same = (out / "scenes" / name / f"{name}_landcover.tif").read_bytes() == (
            reference / "scenes" / name / f"{name}_landcover.tif"
        ).read_bytes()
        half += whole != there or not same
    return {
        "lost": len(set(names) - set(done)),
        "doubled": len(done) - len(set(done)),
        "half written": half,
        "folders that are no scene": len({path.name for path in (out / "scenes").iterdir()} - set(names)),
        "claims left": len([p for p in (out / "claims").iterdir() if not p.name.startswith(".")]),
        "work left": len(list((out / "work").iterdir())),
    }


def main() -> int:
    """Print the kills and what they did; return 1 if a scene was lost, doubled or half written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dask", action="store_true", help="half of the kills under Dask")
    given = parser.parse_args()
    random.seed(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        plan, out, reference = (Path(folder) / name for name in ("plan", "out", "reference"))
        plan.mkdir()
        cut_scenes(plan, given.scenes)
        began = time.monotonic()
        subprocess.run(command(plan, reference), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        print(f"undisturbed, one process: {time.monotonic() - began:.0f} s for {given.scenes} scenes", flush=True)
        plain = given.kills // 2 if given.dask else given.kills
        half = given.scenes // 2 if given.dask else given.scenes
        began = time.monotonic()
        killed = disturb({f"process {n}": command(plan, out) for n in (1, 2)}, out, plain, half)
        if given.dask:
            print(f"killed: {killed}", flush=True)
            commands = dask_commands(Path(folder) / "scheduler.json", command(plan, out))
            killed = disturb(commands, out, given.kills - plain, given.scenes)
        print(f"killed: {killed}, in {time.monotonic() - began:.0f} s", flush=True)
        time.sleep(DEAD_AFTER_S)
        subprocess.run(command(plan, out), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        found = judge(out, reference, [path.stem for path in sorted(plan.iterdir())])
    for what, count in found.items():
        print(f"{what}: {count}")
    return 1 if any(found[what] for what in ("lost", "doubled", "half written")) else 0


if __name__ == "__main__":
    sys.exit(main())
