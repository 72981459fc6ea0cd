"""Hold the results of checks of a raster's values, and their consequences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.errors import InputError

OK, WARNING, CORRECTED, ACCEPTED, REFUSED = "ok", "warning", "corrected", "accepted", "refused"
# Name of the check that decides the unit.
UNITS = "units"
ACCEPT = "--accept-values (in QGIS: Accept implausible values)"


@dataclass(frozen=True)
class Check:
    """Hold the result of one check.

    Attributes:
        name: Such as "level of VV".
        found: What the raster has.
        wanted: What backscatter has.
        verdict: "ok"; "warning"; "corrected", the program read it otherwise than it stands; "refused"; or "accepted",
            it would have been refused, but the user knows better.
        hint: What to do, for all but "ok".
    """

    name: str
    found: str
    wanted: str
    verdict: str
    hint: str = ""

    def to_dict(self) -> dict[str, str]:
        return {"name": self.name, "found": self.found, "wanted": self.wanted, "verdict": self.verdict}

    @property
    def text(self) -> str:
        """Return one line for the log."""
        return f"{self.found}; {self.wanted}." + (f" {self.hint}" if self.hint else "")


def refuse(checks: Sequence[Check]) -> None:
    """Raise the first refusal among checks.

    Raises:
        InputError: There is one.
    """
    for check in checks:
        if check.verdict == REFUSED:
            raise InputError(f"{check.found}; {check.wanted}.", check.hint)


def as_json(checks: Sequence[Check]) -> str:
    """Return short JSON for a tag: name, verdict and what was found of each check."""
    return json.dumps([[c.name, c.verdict, c.found] for c in checks], ensure_ascii=False, separators=(",", ":"))
