"""Keep each result of a study in a file, so that a stopped study can be resumed."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from training.run.files import write_text


@dataclass(frozen=True)
class Cell:
    """Describe one piece of work.

    Attributes:
        key: Names joined by slashes, such as "curve/from scratch/0.05/1".
        cost: Expected relative time, for the time left.
        make: Returns the result, of plain JSON types.
    """

    key: str
    cost: float
    make: Callable[[], Any]


class Ledger:
    """Keep results in a folder.

    Args:
        folder: The folder; created if missing.
        say: Prints a line.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self.say = folder, say
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        # Readable, with a hash because two keys may differ only in characters that are replaced.
        plain = re.sub(r"[^A-Za-z0-9.]+", "-", key).strip("-")
        return self.folder / f"{plain}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.json"

    def done(self, key: str) -> bool:
        """Return whether the result of a key exists."""
        return self._path(key).is_file()

    def run(self, cells: Sequence[Cell]) -> dict[str, Any]:
        """Make missing results, in order and each key once; return all results by key."""
        cells = list({cell.key: cell for cell in cells}.values())
        left = [cell for cell in cells if not self.done(cell.key)]
        if len(left) < len(cells):
            self.say(f"{len(cells) - len(left)} of {len(cells)} results exist already.")
        for clock, cell in zip(_clock(left, len(cells)), left):
            self.say(f"{clock}  {cell.key}")
            began = time.monotonic()
            value = cell.make()
            found = {"key": cell.key, "seconds": round(time.monotonic() - began, 2), "value": value}
            write_text(self._path(cell.key), json.dumps(found, indent=1) + "\n")
        return {cell.key: self.read(cell.key)["value"] for cell in cells}

    def read(self, key: str) -> dict[str, Any]:
        """Read the result that was written for a key: "key", "seconds" and "value"."""
        found: dict[str, Any] = json.loads(self._path(key).read_text(encoding="utf-8"))
        return found


def _clock(cells: Iterable[Cell], total: int) -> Iterator[str]:
    """Yield the number of each piece of work, and the time left at the pace of earlier ones."""
    costs = [cell.cost for cell in cells]
    began, ahead, behind = time.monotonic(), sum(costs), 0.0
    for index, cost in enumerate(costs):
        pace = (time.monotonic() - began) / behind if behind else None
        left = "" if pace is None else f"  left {datetime.timedelta(seconds=round(pace * ahead))}"
        yield f"[{total - len(costs) + index + 1}/{total}{left}]"
        behind, ahead = behind + cost, ahead - cost
