"""Run the real command line in separate processes without importing PyTorch each time.

    python -m tests.backend.reliability.forks

This program imports what a run needs, starts no thread, and then forks for every run asked for: a JSON list of runs a
line, all at the same time, answered by a JSON list of what became of them; null ends it. A forked run ends as any
process does: with a status, by a signal, or, when its time is up, killed here.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

POLL_S = 0.002
# Limit of the address space of a run, so that it can't exhaust the memory of the machine.
MOST_MEMORY = 6 * 2**30


def start(run: dict[str, Any], folder: Path) -> int:
    """Fork; run the command line in the child, which never returns."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        before = forget_peak()
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        if "most_bytes" in run:
            resource.setrlimit(resource.RLIMIT_FSIZE, (run["most_bytes"],) * 2)
        os.chdir(run.get("cwd") or folder)
        os.environ.update(run.get("env", {}))
        if "inject" in run:
            module, _, name = run["inject"].partition(":")
            getattr(importlib.import_module(module), name)()
        from backend.__main__ import main

        try:
            code = main(run.get("arguments"))
        except SystemExit as end:
            code = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            (folder / "grown").write_text(str(memory("VmHWM") - before))
        os._exit(code)


def memory(line: str) -> int:
    """Return the bytes in a line of /proc/self/status, such as VmRSS (current) or VmHWM (peak)."""
    text = Path("/proc/self/status").read_text()
    return 1024 * int(next(row for row in text.splitlines() if row.startswith(line)).split()[1])


def forget_peak() -> int:
    """Reset the peak of memory, and return the bytes in use now, which the fork shares with its parent."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def outcome(status: int, seconds: float, late: bool, folder: Path) -> dict[str, Any]:
    grown = int((folder / "grown").read_text()) if (folder / "grown").exists() else 0
    # A run that was killed at once has not opened them.
    names = ("out", "err")
    texts = {name: (folder / name).read_text("utf-8", "replace") if (folder / name).exists() else "" for name in names}
    return {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "late": late, "grown": grown, **texts}


def attend(runs: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Start all runs; kill those that exceed "limit" or reach "kill_after", both in seconds."""
    places = [folder / str(number) for number in range(len(runs))]
    for place in places:
        place.mkdir()
    began = time.monotonic()
    living = {start(run, place): number for number, (run, place) in enumerate(zip(runs, places))}
    results: list[dict[str, Any]] = [{} for _ in runs]
    late: set[int] = set()
    while living:
        for child, number in list(living.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            now = time.monotonic() - began
            if done:
                results[number] = outcome(status, now, number in late, places[number])
                del living[child]
            elif now > min(runs[number].get("kill_after", 1e9), runs[number].get("limit", 60.0)):
                late.add(number)
                os.kill(child, signal.SIGKILL)
        time.sleep(POLL_S)
    return results


def warm_up() -> None:
    """Import what runs need, and trigger the initialisation of libraries; none of it starts a thread."""
    import rasterio
    import torch

    import backend.accuracy.command
    import backend.maps.embeddings
    import backend.maps.landcover
    import backend.maps.similarity
    import backend.network.weights
    from backend.card.registry import installed_models
    from backend.cli.options import parse

    parse(["info"])
    for folder in installed_models().values():
        with torch.inference_mode():
            backend.network.weights.load_model(folder)
    with contextlib.suppress(rasterio.errors.RasterioError):
        rasterio.open(os.devnull)


def main() -> None:
    warm_up()
    assert len(os.listdir("/proc/self/task")) == 1, "a thread would not live on in what is forked"
    gc.freeze()  # a collection in a child would touch, and so copy, all memory that it shares with this process
    # The loop ends with the parent process, which closes the pipe.
    for line in sys.stdin:
        runs = json.loads(line)
        if runs is None:
            break
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(attend(runs, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
