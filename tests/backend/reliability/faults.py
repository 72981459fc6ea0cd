"""Faults to inject into a run before it begins; see "inject" in `forks`."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Any


def late() -> None:
    """Begin when a run with the fault `outlasting` is at work in WAIT_FOR_A_RUN_IN; hold a lock there until the end."""
    folder = Path(os.environ["WAIT_FOR_A_RUN_IN"])
    lock = os.open(folder / "unlocked", os.O_CREAT | os.O_RDWR)  # released when the process ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "unlocked").rename(folder / "late")
    # The lock file of the other run would be too early a sign: it is there before it is locked.
    while not (folder / "at_work").exists():
        time.sleep(0.01)


def outlasting() -> None:
    """Wait in the middle of the map until a run with the fault `late` in the same folder has ended."""
    from backend.stream.rows import TileRows

    read = TileRows.read
    folder = Path(os.environ["WAIT_FOR_A_RUN_IN"])

    def wait_and_read(*arguments: Any) -> Any:
        (folder / "at_work").touch()
        while not (folder / "late").exists():
            time.sleep(0.01)
        with open(folder / "late") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
        return read(*arguments)

    TileRows.read = wait_and_read  # type: ignore[method-assign]
