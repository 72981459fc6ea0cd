"""Read JSON of unknown origin: no NaN, no infinity, and not nested without end."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

# Deeper than anything that is written for this program; far less than what Python's own functions take.
MOST_DEPTH = 40


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is not JSON, has numbers that are not finite, or more than MOST_DEPTH levels.
    """
    try:
        found = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    level, depth = [found], 0
    while level:
        if any(isinstance(value, float) and not math.isfinite(value) for value in level):
            raise ValueError("it has a number that is not finite")
        depth += 1
        if depth > MOST_DEPTH:
            raise ValueError(f"it is nested more than {MOST_DEPTH} levels deep")
        level = [part for value in level for part in _parts(value)]
    return found


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
