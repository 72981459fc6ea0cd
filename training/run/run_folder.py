"""Claim the folder of a run: a new run needs a fresh one, a resumed run the settings and data it began with."""

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

# Loader workers of a killed run, which hold its lock too, look for their parent every five seconds.
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
    """Hold the folder of a run until the end of the block: make it for a new run, or check that it can be resumed.

    The first process of several holds it; all of them check.

    Args:
        run: Folder of the run.
        config: Its settings, a dataclass.
        fixed: What else must be as it was, as plain JSON types under the keys of config.json.
        resume: Whether the run is to be continued.
        may_change: Whether a setting, by its dotted name, may differ on resuming.
        begun: File in the folder by which a run is known that a new one would spoil.

    Raises:
        InputError: The folder holds a run already, or none to resume, or one of other settings or data.
        ResourceError: Another run is at work in the folder, or it can't be written to.
    """
    if not resume:
        run.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if first_process() and run.is_dir():
            _hold(run, stack)
        if resume:
            _check_resumed(run, resolved(config), fixed, may_change)
        elif (run / begun).exists():
            raise InputError(f"{run} holds a run already.", "Add --resume to continue it, or choose another --out.")
        yield


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
        raise InputError(f"{run} was started with other settings: {', '.join(changed)}.", "Resume it as it was.")
    for key, value in fixed.items():
        if old.get(key) != value:
            what = key.split("_")[0]
            raise InputError(f"{run} was started with other {what}.", f"Give it again: {old.get(what)}.")
