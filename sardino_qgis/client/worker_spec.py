"""Describe the warm worker that a question needs, so that an outdated one is noticed and replaced."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

from ..environment import locate
from ..environment.variables import worker_environment

CHECK_SECONDS = 3.0  # least time between two looks at the files, which are hundreds


@dataclass(frozen=True)
class WorkerSpec:
    """All that a worker's answers depend on except the question. `modified` holds file times in ns."""

    command: tuple[str, ...]
    root: str
    variables: tuple[tuple[str, str], ...]
    modified: tuple[int, ...]


class SpecReader:
    """Gives the spec of a worker that would be started now; not thread-safe."""

    def __init__(self) -> None:
        self._place = ("", Path())
        self._modified: tuple[int, ...] = ()
        self._looked_at = -math.inf

    def read(self) -> WorkerSpec:
        """Return the present spec. A change of files is seen after at most CHECK_SECONDS.

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
    """Newest time of the backend's code, and those of the folders of packages, which change with an installation."""
    prefix = Path(python).parent.parent
    packages = (*prefix.glob("lib/python3*/site-packages"), prefix / "Lib" / "site-packages")
    code = max((_file_time(path) for path in (root / "backend").rglob("*.py")), default=0)
    return (code, *map(_file_time, packages))


def _file_time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
