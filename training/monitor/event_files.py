"""Write event files for TensorBoard: scalars and pictures over the steps done."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.core.errors import InputError


class EventFiles:
    """Write to a folder that ``tensorboard --logdir`` shows.

    The writer of the package tensorboardX puts events into a queue that a thread empties: on a full disk the thread
    dies and the training waits for it without end. Here each call writes and flushes, and raises its own errors.

    Args:
        folder: Created if missing; a resumed run adds a file.
        done: Steps done so far. Events of an earlier process for later steps are marked as void.

    Raises:
        InputError: The package that writes event files is not installed.
    """

    def __init__(self, folder: Path, done: int) -> None:
        try:
            from tensorboardX.event_file_writer import EventsWriter
            from tensorboardX.proto.event_pb2 import Event, SessionLog
            from tensorboardX.proto.summary_pb2 import Summary
        except ImportError as error:
            hint = "Install it (pip install tensorboardX), or use --set monitor.tensorboard=false."
            raise InputError(f"Files for TensorBoard need a package that can't be imported: {error}.", hint) from error
        self._event, self._summary = Event, Summary
        folder.mkdir(parents=True, exist_ok=True)
        # File names hold the time in seconds; the suffix separates and orders two files of one second.
        self._file: Any = EventsWriter(str(folder / "events"), f".{done:09d}.{os.getpid()}")
        if done:
            self._write(done + 1, session_log=SessionLog(status=SessionLog.START))

    def scalars(self, group: str, done: int, values: Mapping[str, float]) -> None:
        """Write numbers after `done` steps."""
        each = [self._summary.Value(tag=f"{group}/{name}", simple_value=value) for name, value in values.items()]
        self._write(done, summary=self._summary(value=each))

    def picture(self, name: str, done: int, png: bytes, width: int, height: int) -> None:
        """Write a colour picture, given as a PNG file, after `done` steps."""
        image = self._summary.Image(width=width, height=height, colorspace=3, encoded_image_string=png)
        self._write(done, summary=self._summary(value=[self._summary.Value(tag=name, image=image)]))

    def _write(self, done: int, **content: Any) -> None:
        self._file.write_event(self._event(step=done, wall_time=time.time(), **content))
        self._file.flush()

    def close(self) -> None:
        self._file.close()
