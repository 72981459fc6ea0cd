"""Write text files atomically and together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from backend.core.cancel import Cancel
from backend.core.errors import ResourceError
from backend.core.partial_files import hold, release, temporary


def write_documents(texts: Mapping[Path, str], cancel: Cancel) -> None:
    """Write each text, UTF-8, under a temporary name, and rename all when all are on the disk.

    Raises:
        ResourceError: Writing fails. Older files are unchanged unless a file was already renamed.
        Cancelled: The run was stopped before the first file was renamed.
    """
    parts = {path: temporary(path) for path in texts}

    def remove() -> None:
        for part in parts.values():
            with suppress(OSError):
                part.unlink()

    cancel.on_deadline(remove)
    for path in texts:
        hold(path)
    try:
        for path, text in texts.items():
            cancel.check()
            parts[path].write_bytes(text.encode("utf-8"))
        with cancel.shielded():
            for path, part in parts.items():
                os.replace(part, path)
    except OSError as error:
        raise ResourceError(
            f"{error.filename} can't be written: {error.strerror}.",
            "Check the free space and that no program holds the file.",
        ) from error
    finally:
        remove()
        for path in texts:
            release(path)
