"""Faults to inject into a run before it begins; see "inject" in `forks`."""

from __future__ import annotations

import os
import time
from pathlib import Path


def late() -> None:
    """Begin when another run has claimed an output in the folder WAIT_FOR_A_RUN_IN."""
    while not list(Path(os.environ["WAIT_FOR_A_RUN_IN"]).glob(".*.sardino-lock")):
        time.sleep(0.01)
