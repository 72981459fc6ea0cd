"""Write files that are whole or absent: under a temporary name, flushed to the disk, then renamed."""

from __future__ import annotations

from pathlib import Path

from backend.core.atomic_files import write_files


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` atomically: a crash leaves the old file or the new one, never a part."""
    write_files({path: data})


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8 atomically."""
    write_bytes(path, text.encode("utf-8"))
