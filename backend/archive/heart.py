"""Show that a worker is alive: touch its claim every few seconds, in a thread of its own."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any


class Heart:
    """Touch a file until the block ends; stop when the file has gone, which means that another took over.

    A thread is enough: what computes releases Python's lock. A process that hangs whole shows no sign of life.

    Args:
        path: The file; not created where missing.
        every: Seconds between two touches.
    """

    def __init__(self, path: Path, every: float) -> None:
        self._path, self._every, self._over = path, every, threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            try:
                os.utime(self._path)
            except FileNotFoundError:
                return
            except OSError:
                continue  # a share may be away for a moment
