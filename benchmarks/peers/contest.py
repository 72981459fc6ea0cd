"""Run contenders as processes, and measure their time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.environment import ROOT, python, variables
from benchmarks.peers.tiles import Tiles
from benchmarks.peers.worker import OUT_OF_MEMORY

LOOK_S = 0.02
KILLED = -9


@dataclass(frozen=True)
class Job:
    """Hold the input of every contender.

    Attributes:
        scene: Raster to map.
        model: Model folder.
        threads: Threads of the contender.
        memory_gb: Largest address space of a peer.
    """

    scene: Path
    model: Path
    threads: int
    memory_gb: float = 0

    def options(self) -> list[str]:
        """Return options of `benchmarks.peers.worker`; the exported network is in the folder of the scene."""
        onnx = self.scene.with_name("network.onnx")
        return ["--model", str(self.model), "--onnx", str(onnx), "--threads", str(self.threads)]


@dataclass(frozen=True)
class Outcome:
    """Hold one run of one contender.

    Attributes:
        seconds: Seconds from opening the raster to the closed map, with the network loaded; NaN without a map.
        whole_s: Seconds of the whole process.
        peak_mib: Peak resident memory.
        tiles: Number of tiles given to the network.
        failed: Why there is no map; None if there is one.
        facts: Other figures that it reported.
    """

    seconds: float
    whole_s: float
    peak_mib: float
    tiles: int = 0
    failed: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """Hold a finished process: exit status, JSON lines with their times, last error line, seconds and peak memory."""

    status: int
    lines: list[tuple[float, dict[str, Any]]]
    last_words: str
    whole_s: float
    peak_mib: float


def run_program(command: list[str], threads: int) -> Program:
    """Run a program that prints JSON lines.

    The peak is VmHWM, polled while the program runs. It never falls, and it starts with the program; the peak that the
    system reports of finished children includes the memory of their parent.
    """
    began, peak, lines = time.perf_counter(), [0.0], []
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT,
            env=variables(threads),
        )  # fmt: skip
        watch = threading.Thread(target=_watch, args=(process, peak), daemon=True)
        watch.start()
        assert process.stdout and process.stdin
        # Its input stays open, because our own program ends when that closes.
        for line in process.stdout:
            if line.startswith("{"):
                lines.append((time.perf_counter(), json.loads(line)))
        status = process.wait()
        whole = time.perf_counter() - began
        watch.join()
        process.stdin.close()
        process.stdout.close()
        errors.seek(0)
        words = [line.strip() for line in errors if line.strip()]
    return Program(status, lines, words[-1] if words else "", whole, peak[0])


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            found = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        except OSError:
            return
        if found:
            peak[0] = max(peak[0], int(found[0].split()[1]) / 2**10)
        time.sleep(LOOK_S)


def run_ours(job: Job, output: Path, engine: str = "auto") -> Outcome:
    """Run `python -m backend landcover`; its seconds count from the start event, with the network loaded."""
    command = [sys.executable, "-m", "backend", "landcover", str(job.scene), str(output), "--model", str(job.model)]
    command += ["--units", "db", "--device", "cpu", "--engine", engine, "--overwrite", "--progress", "json"]
    program = run_program(command, job.threads)
    events = {facts["event"]: (at, facts) for at, facts in program.lines}
    if program.status or "result" not in events:
        return _failed(program)
    tiles = int(events["progress"][1]["total"])
    result = events["result"][1]
    facts = {"own_seconds": result["seconds"], "device": result["device"], "log": _told(program)}
    seconds = events["result"][0] - events["start"][0]
    return Outcome(round(seconds, 3), round(program.whole_s, 3), round(program.peak_mib, 1), tiles, None, facts)


def run_peer(job: Job, name: str, output: Path, tiles: Tiles) -> Outcome:
    """Run a peer in its environment, with limited memory."""
    output.unlink(missing_ok=True)
    command = [str(python()), "-m", "benchmarks.peers.worker", name, str(job.scene), str(output), *job.options()]
    options = {"memory-gb": job.memory_gb, **asdict(tiles)}
    command += [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    program = run_program(command, job.threads)
    if program.status or not program.lines:
        return _failed(program)
    facts = program.lines[-1][1]
    told = {key: facts[key] for key in ("imports_s", "load_s")}
    took = round(program.whole_s, 3), round(program.peak_mib, 1)
    return Outcome(facts["seconds"], *took, facts["tiles"], None, told)


def export(job: Job, tile: int) -> float:
    """Write the ONNX file; return the largest difference of probabilities from PyTorch.

    Raises:
        SystemExit: The export failed.
    """
    command = [str(python()), "-m", "benchmarks.peers.worker", "export", *job.options(), "--tile", str(tile)]
    program = run_program(command, job.threads)
    if program.status or not program.lines:
        raise SystemExit(f"The network could not be exported: {program.last_words}")
    return float(program.lines[-1][1]["difference"])


def _failed(program: Program) -> Outcome:
    why = program.last_words or f"exit status {program.status}"
    # The last line of a peer, or our error event, gives the reason.
    told = [facts.get("failed") or facts["message"] for _, facts in program.lines if facts.keys() & {"failed", "hint"}]
    if told:
        why = told[-1]
    elif program.status == KILLED:
        why = f"{OUT_OF_MEMORY} (killed)"
    elif program.status < 0:
        why = f"ended by signal {-program.status}: {why}"
    return Outcome(float("nan"), round(program.whole_s, 3), round(program.peak_mib, 1), failed=why)


def _told(program: Program) -> list[str]:
    return [facts["message"] for _, facts in program.lines if facts["event"] == "log"]
