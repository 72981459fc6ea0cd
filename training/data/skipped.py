"""What is said of files that can't be read and are left out: which, why, and how many."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from training.run.collective import first_process

# Files that are named one by one.
MOST_NAMED = 20
# What this process has said: a folder may be opened for each of its splits, and a file be drawn from again and again.
_said: set[tuple[Path, str]] = set()


def tell_left_out(root: Path, reasons: Mapping[str, str], total: int) -> None:
    """Name files on standard error, once each, with their number.

    Args:
        root: Their data folder.
        reasons: Why each can't be read, by name.
        total: How many files there are.
    """
    new = {name: reason for name, reason in reasons.items() if (root, name) not in _said}
    if not new or not first_process():
        return
    _said.update((root, name) for name in new)
    lines = [f"{root}: {len(new)} of {total} images can't be read and are left out (--strict refuses them):"]
    lines += [f"  {reason}" for reason in list(new.values())[:MOST_NAMED]]
    if len(new) > MOST_NAMED:
        lines.append(f"  and {len(new) - MOST_NAMED} more")
    print("\n".join(lines), file=sys.stderr, flush=True)
