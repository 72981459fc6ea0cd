"""Whether a run may use its folder: a new run needs a fresh one, a resumed run the settings and data it began with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from backend.core.errors import InputError
from training.run.checkpoint import STATE
from training.run.config import differences, resolved


def claim_run(
    run: Path,
    config: Any,
    fixed: Mapping[str, Any],
    resume: bool,
    may_change: Callable[[str], bool] = lambda name: False,
    begun: Path = Path("checkpoint", STATE),
) -> None:
    """Make the folder of a new run, or check that a run can be resumed.

    Args:
        run: Folder of the run.
        config: Its settings, a dataclass.
        fixed: What else must be as it was, as plain JSON types under the keys of config.json.
        resume: Whether the run is to be continued.
        may_change: Whether a setting, by its dotted name, may differ on resuming.
        begun: File in the folder by which a run is known that a new one would spoil.

    Raises:
        InputError: The folder holds a run already, or none to resume, or one of other settings or data.
    """
    if not resume:
        if (run / begun).exists():
            raise InputError(f"{run} holds a run already.", "Add --resume to continue it, or choose another --out.")
        run.mkdir(parents=True, exist_ok=True)
        return
    try:
        old = json.loads((run / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"No run to resume in {run} ({error}).", "Leave out --resume to start one.") from error
    changed = [name for name in differences(old.get("config"), resolved(config)) if not may_change(name)]
    if changed:
        raise InputError(f"{run} was started with other settings: {', '.join(changed)}.", "Resume it as it was.")
    for key, value in fixed.items():
        if old.get(key) != value:
            what = key.split("_")[0]
            raise InputError(f"{run} was started with other {what}.", f"Give it again: {old.get(what)}.")
