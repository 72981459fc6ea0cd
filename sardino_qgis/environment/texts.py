"""Format folders, sizes and output for users. Standard library only."""

from __future__ import annotations

import re
from pathlib import Path


def readable(size: int) -> str:
    """Return a number of bytes as text, in MB below 1 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 0.95e9 else f"{size / 1e6:.0f} MB"


def shortened(text: str) -> str:
    """Return `text` with the user's home folder as `~`."""
    home = str(Path.home())
    return re.sub(re.escape(home) + r"(?![^\\/\s:;,'\")])", "~", text) if len(home) > 1 else text


def discreet(line: str) -> str:
    """Return `line` without the user names and passwords in URLs."""
    return re.sub(r"://[^/\s@]+@", "://***@", line)
