"""Search names of files by a user's regular expression, in a process of its own with a limit of time.

Python's matching can't be interrupted, and a repetition inside a repetition takes twice as long for each letter more.
"""

from __future__ import annotations

import json
import re
import subprocess  # nosec B404
import sys
from collections.abc import Sequence
from pathlib import Path

from backend.core.errors import InputError

LIMIT_S = 10.0
MOST_CHARACTERS = 500
_HINT = r"Write it without repetition inside repetition, as in ^(\d+)_."


def first_groups(pattern: str, names: Sequence[str]) -> list[str | None]:
    """Return the one group of a pattern, searched for in the last part of each name, then in all of it.

    Raises:
        InputError: It takes longer than LIMIT_S for all names.
    """
    task = json.dumps({"pattern": pattern, "names": list(names)})
    code = Path(__file__).with_name("search_names.py")
    try:
        done = subprocess.run(  # nosec B603
            [sys.executable, "-I", str(code)],
            input=task.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"places is {pattern!r}; searching {len(names)} names for it takes more than {LIMIT_S:g} s.", _HINT
        ) from error
    except subprocess.CalledProcessError as error:
        raise InputError(f"places is {pattern!r}, which can't be searched for.", _HINT) from error
    found: list[str | None] = json.loads(done.stdout)
    return found


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that is no regular expression with one group; an empty one means none.

    Raises:
        InputError: The pattern is not such an expression, or is longer than MOST_CHARACTERS.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise InputError(f"places has {len(pattern)} characters; {MOST_CHARACTERS} are the most.", "Shorten it.")
    try:
        groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(f"places is {pattern!r}, not a valid regular expression ({error}).", "Correct it.") from error
    if pattern and groups != 1:
        raise InputError(f"places is {pattern!r}, with {groups} groups.", r"Put one around the place, as in ^(\d+)_.")
