"""Claim the folder of a run: a new run needs a fresh folder, a resumed run its earlier settings and data."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from backend.core.claims import claim
from backend.core.errors import InputError, ResourceError
from training.run.checkpoint import STATE
from training.run.config import differences, resolved
from training.run.distributed import first_process

# Loader workers of a killed run hold its lock as well, and check for their parent every five seconds.
WAIT_S = 8.0


@contextmanager
def claim_run(
    run: Path,
    config: Any,
    fixed: Mapping[str, Any],
    resume: bool,
    may_change: Callable[[str], bool] = lambda name: False,
    begun: Path = Path("checkpoint", STATE),
) -> Iterator[None]:
    """Hold the folder of a run until the end of the block: create it, or check that the run can be resumed.

    Of several processes the first holds the folder; all of them check.

    Args:
        run: Folder of the run.
        config: Its settings, a dataclass.
        fixed: Further values that must not change, as plain JSON types under the keys of config.json.
        resume: Whether the run is continued.
        may_change: Returns whether a setting, given by its dotted name, may differ when the run is resumed.
        begun: File in the folder that shows that a run has begun.

    Raises:
        InputError: The folder holds a run or other files already, or no run to resume, or one with other settings or
            data.
        ResourceError: Another run uses the folder, or it can't be written to.
    """
    if not resume:
        _check_free(run)
        run.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if first_process() and run.is_dir():
            _hold(run, stack)
        if resume:
            _check_resumed(run, resolved(config), fixed, may_change)
        elif (run / begun).exists():
            raise InputError(f"{run} holds a run already.", "Add --resume to continue it, or choose another --out.")
        yield


def _check_free(run: Path) -> None:
    """Refuse a place of a new run that is a file, or a folder with files of others.

    A run that was killed before its first checkpoint starts again: its config.json is written before all else.
    """
    if not os.path.lexists(run):
        return
    if not run.is_dir():
        raise InputError(f"{run} is not a folder.", "Choose another --out.")
    found = sorted(path.name for path in run.iterdir() if not path.name.startswith("."))
    if not found or "config" in (_written(run) or {}):
        return
    raise InputError(
        f"{run} holds {found[0]}{' and other files' * (len(found) > 1)}, which no run made.",
        "Choose a new or an empty folder as --out.",
    )


def _written(run: Path) -> dict[str, Any] | None:
    """Return the content of a run's config.json; None if it has none."""
    try:
        found = json.loads((run / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _hold(run: Path, stack: ExitStack) -> None:
    last = time.monotonic() + WAIT_S
    while True:
        try:
            # One folder may have several names.
            return stack.enter_context(claim(Path(os.path.realpath(run))))
        except ResourceError:
            if time.monotonic() > last:
                raise
        time.sleep(0.2)


def _check_resumed(
    run: Path, config: dict[str, Any], fixed: Mapping[str, Any], may_change: Callable[[str], bool]
) -> None:
    try:
        old = json.loads((run / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"No run to resume in {run} ({error}).", "Leave out --resume to start one.") from error
    changed = [name for name in differences(old.get("config"), config) if not may_change(name)]
    if changed:
        raise InputError(f"{run} was started with other settings: {', '.join(changed)}.", "Use the earlier settings.")
    for key, value in fixed.items():
        if old.get(key) == value:
            continue
        what = key.split("_")[0]
        if isinstance(value, Mapping):
            _check_names(run, what, old.get(key), value)
            continue
        raise InputError(f"{run} was started with other {what}.", f"Use the earlier {what}: {old.get(what)}.")


def _check_names(run: Path, what: str, old: Any, new: Mapping[str, str]) -> None:
    """Name the files that came, went or changed since a run began.

    Args:
        run: Folder of the run.
        what: Word for them, such as "data".
        old: A short hash by name, as it was; None in runs of older versions.
        new: The same now.
    """
    if not isinstance(old, Mapping) or not old or not new:
        return
    told = {
        "missing": [name for name in old if name not in new],
        "new": [name for name in new if name not in old],
        "changed": [name for name in new if name in old and old[name] != new[name]],
    }
    found = "; ".join(
        f"{how}: {', '.join(names[:5])}{', …' * (len(names) > 5)}" for how, names in told.items() if names
    )
    if found:
        raise InputError(
            f"{run} was started with other {what} ({found}).",
            "Put the files back as they were, or start a new run in another --out.",
        )
