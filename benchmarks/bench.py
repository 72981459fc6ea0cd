"""Run all benchmarks of speed and memory, one after the other: `make bench`.

    python -m benchmarks.bench [--out build/bench] [--megapixels 10] [--rounds 3] [--only NAME …]

Runs each benchmark in a process of its own, prints its table, and collects the figures in bench.json. The docstring of
each benchmark says what it measures. Nothing else should run on the machine. The defaults take about half an hour on
two cores; the tables of docs/performance.md use 100 megapixels. The peers need an environment of 2.8 GB (`python -m
benchmarks.peers --setup`) and are skipped without it.
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

from benchmarks.peers import environment

ROOT = Path(__file__).resolve().parent.parent
SCENES = 40  # simulated scenes for training_speed


def commands(megapixels: float, rounds: int, data: Path, out: Path) -> dict[str, list[str]]:
    """Return the arguments of each benchmark by name, without `--json`."""
    size = ["--megapixels", str(megapixels)]
    turns = ["--rounds", str(rounds)]
    return {
        "limit": [*size, *turns, "--engines", "pytorch", "openvino", "openvino-int8"],
        "growth": ["--picture", str(out / "growth.png")],
        "composite": ["--width", "2000", "--dates", "10", "40"],
        "startup": turns,
        "training_speed": [*turns, "--data", str(data)],
        "peers": [*size, *turns],
    }


def program(module: str, *arguments: str) -> int:
    """Run a module of this repository and return its exit status."""
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=False).returncode


def main() -> int:
    """Run the benchmarks; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--megapixels", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="of limit, growth, composite, startup, training_speed, peers"
    )
    given = parser.parse_args()
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, object] = {"made": time.strftime("%Y-%m-%d %H:%M"), "cores": os.cpu_count()}
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "simulated"
        every = commands(given.megapixels, given.rounds, data, out)
        unknown = sorted(set(given.only or ()) - every.keys())
        if unknown:
            parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(every)}")
        for name in given.only or every:
            print(f"\n== {name}", flush=True)
            if name == "peers" and not environment.python().exists():
                print("skipped: make their environment with python -m benchmarks.peers --setup")
                continue
            if name == "training_speed":
                program("training.simulate", "--out", str(data), "--scenes", str(SCENES), "--seed", "1")
            path = out / f"{name}.json"
            path.unlink(missing_ok=True)
            module = "benchmarks.peers" if name == "peers" else f"benchmarks.speed.{name}"
            if program(module, *every[name], "--json", str(path)) or not path.exists():
                failed.append(name)
                continue
            found[name] = json.loads(path.read_text())
    (out / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    print(f"\n{out / 'bench.json'}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
