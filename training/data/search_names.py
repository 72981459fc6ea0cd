"""Search names for a pattern, as a program of its own that `pattern.py` starts and may end; standard library only."""

from __future__ import annotations

import json
import re
import sys
from typing import Any


def search(task: dict[str, Any]) -> list[str | None]:
    """Return the first group of a pattern in the last part of each name, else in all of it; None where it isn't."""
    wanted = re.compile(task["pattern"])
    found = (wanted.search(name.rpartition("/")[2]) or wanted.search(name) for name in task["names"])
    return [match[1] if match else None for match in found]


if __name__ == "__main__":
    json.dump(search(json.load(sys.stdin)), sys.stdout)
