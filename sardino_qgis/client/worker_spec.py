"""Describe the warm worker that a question needs, so that an outdated one is replaced."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

from ..environment import locate
from ..environment.variables import worker_environment

CHECK_SECONDS = 3.0  # shortest time between two checks of the files, of which there are hundreds


@dataclass(frozen=True)
class WorkerSpec:
    """Hold all that a worker's answers depend on, except the question. `modified` holds file times in ns."""

    command: tuple[str, ...]
    root: str
    variables: tuple[tuple[str, str], ...]
    modified: tuple[int, ...]


class SpecReader:
    """Read the spec of a worker that would be started now. Not thread-safe."""

    def __init__(self) -> None:
        self._place = ("", Path())
        self._modified: tuple[int, ...] = ()
        self._looked_at = -math.inf

    def read(self) -> WorkerSpec:
        """Return the present spec. Changed files are noticed after CHECK_SECONDS at the latest.

        Raises:
            BackendMissingError: There is no interpreter, or no backend.
        """
        python, root = place = locate.find_interpreter(), locate.backend_root()
        if place != self._place or time.monotonic() - self._looked_at >= CHECK_SECONDS:
            self._place, self._modified = place, _file_times(python, root)
            self._looked_at = time.monotonic()
        variables = tuple(sorted(worker_environment().items()))
        return WorkerSpec((python, "-m", "backend", "serve"), str(root), variables, self._modified)


def _file_times(python: str, root: Path) -> tuple[int, ...]:
    """Return the newest time of the backend's code, and the times of the package folders, in ns."""
    prefix = Path(python).parent.parent
    packages = (*prefix.glob("lib/python3*/site-packages"), prefix / "Lib" / "site-packages")
    code = max((_file_time(path) for path in (root / "backend").rglob("*.py")), default=0)
    return (code, *map(_file_time, packages))


def _file_time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
