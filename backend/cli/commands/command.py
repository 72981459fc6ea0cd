"""Describe one command: its name, help text, options, and what runs it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from typing import Any, Callable, TypeVar

from backend.core.context import Context

R = TypeVar("R")


@dataclass(frozen=True)
class Command:
    """Describe one command for the command line.

    Attributes:
        name: As typed.
        help: One line, for the list of commands.
        add_options: Adds the options of the command to its parser.
        run: Runs the command from its parsed options; raises SarDinoError when refused or cancelled. It imports what
            the command needs when it is called, so that one command doesn't load the libraries of another.
    """

    name: str
    help: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Context], None]


def request_of(kind: Callable[..., R], options: argparse.Namespace, **more: Any) -> R:
    """Build a request from the options that have the names of its fields.

    Args:
        kind: Dataclass of the request.
        options: Parsed command line.
        more: Fields that no option sets, or that take another value.
    """
    given = vars(options)
    names = {field.name for field in fields(kind)} & given.keys()  # type: ignore[arg-type]
    return kind(**{**{name: given[name] for name in names}, **more})
