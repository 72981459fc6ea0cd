"""Print which files of a data folder are left out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.core.events import printable, show
from training.run.distributed import first_process

# Files that are listed by name.
MOST_NAMED = 20
# Files already named by this process: a folder may be opened once per split, and a file is drawn from many times.
_said: set[tuple[Path, str]] = set()


def print_beside(root: Path, files: Sequence[Path]) -> None:
    """Print to standard error, once, how many files of a folder belong to no scene."""
    if not files or (root, "beside") in _said or not first_process():
        return
    _said.add((root, "beside"))
    names = ", ".join(file.name for file in files[:3]) + (", …" if len(files) > 3 else "")
    text = f"{len(files)} files hold none of the model's bands and are left out"
    print(f"{root}: {text} ({names})", file=sys.stderr, flush=True)


def print_left_out(root: Path, reasons: Mapping[str, str], total: int) -> None:
    """Print files that are left out to standard error, once each, with their number.

    Args:
        root: The data folder.
        reasons: Why each file can't be read, by name.
        total: Number of files in the folder.
    """
    new = {name: reason for name, reason in reasons.items() if (root, name) not in _said}
    if not new or not first_process():
        return
    _said.update((root, name) for name in new)
    lines = [f"{root}: {len(new)} of {total} images can't be read and are left out (--strict refuses them):"]
    lines += [f"  {reason}" for reason in list(new.values())[:MOST_NAMED]]
    if len(new) > MOST_NAMED:
        lines.append(f"  and {len(new) - MOST_NAMED} more")
    show("\n".join(map(printable, lines)), sys.stderr)
