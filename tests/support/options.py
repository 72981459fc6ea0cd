"""Read options of a command line."""

from __future__ import annotations


def option(arguments: list[str], name: str, count: int = 1) -> list[str]:
    """Return the words after the option `name`."""
    start = arguments.index(name) + 1
    return arguments[start : start + count]
