"""Report the progress of an installation, from pip's output. Standard library only."""

from __future__ import annotations

import re
import time
from pathlib import Path

from ..common.duration import time_left
from ..common.i18n import tr


class InstallFeedback:
    """Receive log and progress of an installation; the methods do nothing, and are overridden."""

    def log(self, line: str) -> None:
        """Take a line of the log."""

    def progress(self, fraction: float, text: str) -> None:
        """Take the fraction that is done (0 to 1) and the name of the present step."""

    def cancelled(self) -> bool:
        """Return whether the installation is to stop."""
        return False


class PipProgress:
    """Turn pip's output into progress from 2 to 90 % of an installation."""

    def __init__(self, feedback: InstallFeedback, folder: Path, expected: int) -> None:
        """Report to `feedback`; pip runs in `folder`, and `expected` bytes are to be downloaded (0 if unknown)."""
        self._feedback, self._folder, self._expected = feedback, folder, expected
        self._begun = time.monotonic()
        self._received = 0  # bytes of the files that are complete
        self._begun_file = 0  # bytes of the file whose download has begun, if pip doesn't report its progress
        self._fraction = 0.0

    def take(self, line: str) -> bool:
        """Take a line of pip's output, and return whether it is only progress and need not be logged."""
        numbers = re.fullmatch(r"Progress (\d+) of (\d+)", line.strip())
        local = re.match(r"Processing (.+?\.whl)", line)
        remote = re.match(r"\s*Downloading \S+\.whl \(([\d.]+) ([kMG])B\)", line)
        if remote:
            self._end_file()
            self._begun_file = int(float(remote.group(1)) * {"k": 1e3, "M": 1e6, "G": 1e9}[remote.group(2)])
            self._show(0, self._begun_file)
        elif numbers:
            self._begun_file = 0
            self._show(int(numbers.group(1)), int(numbers.group(2)))
        elif local:
            path = self._folder / local.group(1)
            size = path.stat().st_size if path.is_file() else 0
            self._show(size, size)
        elif line.startswith("Installing collected packages"):
            self._end_file()
            self._feedback.progress(self._fraction, tr("Unpacking"))
        return bool(numbers)

    def _end_file(self) -> None:
        if self._begun_file:
            self._show(self._begun_file, self._begun_file)
            self._begun_file = 0

    def _show(self, now: int, whole: int) -> None:
        """Report the bytes received so far: `now` of the `whole` bytes of the present file, and all files before."""
        done = self._received + now
        if now == whole:
            self._received += whole
        if not self._expected:
            return
        share = min(1.0, done / self._expected)
        left = time_left((time.monotonic() - self._begun) * (1 - share) / share) if share > 0.02 else ""
        text = tr("Downloading, {:.0f} MB of about {:.0f} MB").format(done / 1e6, max(done, self._expected) / 1e6)
        self._fraction = 0.02 + 0.88 * share
        self._feedback.progress(self._fraction, f"{text}, {left}" if left else text)
