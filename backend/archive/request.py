"""Define the request for an archive."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from backend.archive.task import TaskOptions
from backend.card.registry import CARD

RETRIES, DEAD_AFTER_S = 2, 120.0
LEAST_DEAD_AFTER_S = 1.0


@dataclass(frozen=True)
class ArchiveRequest:
    """Hold the options of an archive.

    Attributes:
        plan: Folder, pattern, CSV or STAC item collection.
        out: Folder of the results; made where missing.
        task: The task for each scene.
        retries: Number of times that a failed scene is repeated.
        dead_after: Seconds without a sign of life after which a worker counts as dead.
        wait: Whether to wait, at the end, for scenes that others hold.
        cluster: "local", address of a scheduler or its file; None to work in this process.
        workers: Processes of a local cluster; 0 to choose.
    """

    plan: str
    out: Path
    task: TaskOptions = field(default_factory=TaskOptions)
    retries: int = RETRIES
    dead_after: float = DEAD_AFTER_S
    wait: bool = True
    cluster: str | None = None
    workers: int = 0

    def anywhere(self) -> ArchiveRequest:
        """Return the request with whole paths, for workers that were started in other folders."""
        model, slopes = self.task.model, self.task.slopes
        if model is not None and (Path(model) / CARD).is_file():
            model = os.path.abspath(model)
        if slopes.dem is not None and os.path.exists(slopes.dem):
            slopes = replace(slopes, dem=os.path.abspath(slopes.dem))
        task = replace(self.task, model=model, slopes=slopes)
        return replace(self, out=Path(os.path.abspath(self.out)), task=task)
