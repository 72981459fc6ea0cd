"""Read recipes, apply overrides and write resolved settings, for any frozen dataclass.

A recipe is one TOML file for one experiment. Unknown keys and values of the wrong type are refused by name. The
resolved settings are written into the folder of the run.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from backend.card.validation import FieldError, from_plain
from backend.core.errors import InputError
from backend.core.regular_file import read_regular_text
from training.run.files import write_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_BYTES = 1_000_000  # of a TOML file
RECIPES = Path(__file__).resolve().parents[1] / "recipes"

T = TypeVar("T")


def load_recipe(name: str) -> dict[str, Any]:
    """Read a recipe by name (a file of ``training/recipes``) or by the path of a TOML file.

    Raises:
        InputError: There is no such recipe, or it is not TOML.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise InputError(f"No recipe {name!r}.", f"Use one of {known}, or the path of a .toml file.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a recipe: {error}.", "Write it in TOML, as in training/recipes.") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file that is no recipe. InputError if it can't be read or is not TOML."""
    try:
        return tomllib.loads(read_regular_text(path, MOST_BYTES))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).", "Give a TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}.", "Correct the file.") from error


def override(data: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Return a copy of a recipe's dict with ``section.key=value`` settings applied.

    Values are written as in TOML (``3``, ``0.5``, ``true``, ``[0.4, 1.0]``); anything else is a string.

    Raises:
        InputError: A setting has no ``=`` or an empty key, or treats a value as a section.
    """
    result = _copy(data)
    for setting in settings:
        key, equals, text = setting.partition("=")
        parts = key.strip().split(".")
        if not equals or not all(parts):
            raise InputError(f"Can't read the setting {setting!r}.", "Write it as section.key=value.")
        target = result
        for part in parts[:-1]:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise InputError(f"The setting {key!r} treats {part!r} as a section.", "Name an existing key.")
        target[parts[-1]] = _literal(text.strip())
    return result


def resolve(cls: type[T], data: dict[str, Any]) -> T:
    """Build the dataclass `cls` from plain values: sections nested, types checked, defaults for the rest.

    Raises:
        InputError: A key is unknown, one without default is missing, or a value has the wrong type.
    """
    try:
        return from_plain(cls, data)
    except FieldError as error:
        raise InputError(f"{error.found}.", error.hint) from error


def resolved(config: Any) -> dict[str, Any]:
    """Return settings as plain JSON types, from which `resolve` builds an equal dataclass."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def write_resolved(path: Path, config: Any, **extra: Any) -> None:
    """Write the resolved settings as JSON, with further facts (recipe name, data folders, versions)."""
    write_text(path, json.dumps({**extra, "config": resolved(config)}, indent=2) + "\n")


def differences(old: Any, new: Any, where: str = "") -> list[str]:
    """Return the dotted names of the settings in which two resolved dicts differ."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [where]
    found = []
    for key in sorted(old.keys() | new.keys()):
        found += differences(old.get(key), new.get(key), f"{where}.{key}" if where else key)
    return found


def _copy(data: dict[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in data.items()}


def _literal(text: str) -> Any:
    try:
        values = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return values["value"] if list(values) == ["value"] else text
