"""Scan files in processes of their own: judging values holds Python's lock, so that threads would take turns.

A process reads its settings and then names of files from standard input, a line of JSON each, and answers each file by
a line. It ends when its input is closed, also by the death of the run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess  # nosec B404
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from backend.card.model_card import Band
from backend.core import errors
from backend.core.cancel import SIGNALS
from backend.core.errors import SarDinoError
from backend.radiometry.units import Units
from training.data.dataset_toml import FolderFacts
from training.data.file_entry import FileEntry, entry_of, text_of
from training.data.scan import scan
from training.data.scenes import SceneFiles
from training.run.config import resolve

# Keys of dataset.toml that a scan depends on.
_KEYS = ("scale", "nodata", "relative", "accept_values", "pixel_size_m", "bands")


class ScanProcess:
    """Scan files of a folder in another process, one at a time.

    Args:
        facts: Its dataset.toml.
        bands: The card's bands.
        units: See `scan`.
    """

    def __init__(self, facts: FolderFacts, bands: Sequence[Band], units: Units) -> None:
        self._told = facts, tuple(bands), units
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # nosec B603
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        kept = {key: value for key, value in asdict(facts).items() if key in _KEYS}
        self._say({"facts": kept, "bands": [asdict(band) for band in bands], "units": units.value})

    def scan(self, name: str, files: SceneFiles) -> FileEntry:
        """Scan a file as `scan.scan` does, which is called here if the process has ended.

        Raises:
            InputError, OSError: See `scan.scan`.
        """
        self._say({"name": name, "paths": [str(path) for path in files.paths], "names": files.names})
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            return scan(name, files, *self._told)
        answer = json.loads(line)
        if "error" in answer:
            raise _error_of(answer)
        return entry_of(answer)

    def _say(self, words: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()


def _error_of(answer: dict[str, str]) -> Exception:
    if answer["error"] == OSError.__name__:
        return OSError(answer["message"])
    kind: type[SarDinoError] = getattr(errors, answer["error"])
    return kind(answer["message"], answer["hint"])


def _answer(words: dict[str, Any], told: tuple[FolderFacts, tuple[Band, ...], Units]) -> str:
    files = SceneFiles(tuple(map(Path, words["paths"])), tuple(words["names"]))
    try:
        return text_of(scan(words["name"], files, *told))
    except SarDinoError as error:
        found = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
    except OSError as error:
        found = {"error": OSError.__name__, "message": str(error), "hint": ""}
    return json.dumps(found)


def main() -> None:
    """Answer the lines of standard input."""
    # Ctrl+C and schedulers signal all processes at once; this one ends with the run that it works for.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    settings = json.loads(sys.stdin.buffer.readline())
    bands = tuple(Band(**{**band, "clip": tuple(band["clip"])}) for band in settings["bands"])
    told = resolve(FolderFacts, settings["facts"]), bands, Units(settings["units"])
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(_answer(json.loads(line), told).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
