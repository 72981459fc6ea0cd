"""State the limits of a setting in its type, ``steps: Annotated[int, Range(1)]``, and check them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from backend.core.errors import InputError


@dataclass(frozen=True)
class Range:
    """Allow numbers from `low` to `high`; `above` and `below` exclude the end. In a tuple each number counts."""

    low: float = 0.0
    high: float = math.inf
    above: bool = False
    below: bool = False

    def allows(self, value: Any) -> bool:
        values = value if isinstance(value, tuple) else (value,)
        return all(self._holds(each) for each in values)

    def _holds(self, value: float) -> bool:
        lowest = self.low < value if self.above else self.low <= value
        return lowest and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"a number above {self.low:g}" if self.above else f"{self.low:g} or more"
        low = f"above {self.low:g} up to" if self.above else f"from {self.low:g} to"
        return f"a number {low} {'below ' if self.below else ''}{self.high:g}"


@dataclass(frozen=True)
class Ascending:
    """Allow pairs whose first number is not above the second."""

    def allows(self, value: tuple[float, ...]) -> bool:
        return list(value) == sorted(value)

    def __str__(self) -> str:
        return "a list with the lowest number first"


@dataclass(frozen=True)
class Some:
    """Allow one value or more, none of them twice."""

    def allows(self, value: tuple[Any, ...]) -> bool:
        return 0 < len(value) == len(set(value))

    def __str__(self) -> str:
        return "a list of different values, at least one"


class OneOf:
    """Allow some words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def allows(self, value: Any) -> bool:
        return set(value if isinstance(value, tuple) else (value,)) <= set(self.words)

    def __str__(self) -> str:
        return f"one of {', '.join(word or 'nothing' for word in self.words)}"


Count = Annotated[int, Range(1)]
Amount = Annotated[int, Range(0)]
NotNegative = Annotated[float, Range(0)]
Positive = Annotated[float, Range(0, above=True)]
Share = Annotated[float, Range(0, 1)]
Seed = Annotated[int, Range(0, 2**63, below=True)]
Device = Annotated[str, OneOf("auto", "cpu", "cuda", "mps")]


def check_limits(config: Any, section: str = "") -> None:
    """Check every setting of a dataclass against the limits in its type.

    Args:
        config: The dataclass.
        section: Dotted name of it in a recipe, for messages.

    Raises:
        InputError: A setting lies outside its limits; it is named.
    """
    for name, hint in get_type_hints(type(config), include_extras=True).items():
        value = getattr(config, name)
        for limit in getattr(hint, "__metadata__", ()):
            if not limit.allows(value):
                full = f"{section}.{name}" if section else name
                several = isinstance(value, tuple)
                each = "each value of " if several and isinstance(limit, (Range, OneOf)) else ""
                raise InputError(f"{full} is {list(value) if several else value!r}.", f"Set {each}{full} to {limit}.")
