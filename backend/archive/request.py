"""Define the request for an archive."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from backend.archive.task import TaskOptions

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
