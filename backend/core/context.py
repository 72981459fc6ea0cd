"""Bundle the reporter and the cancel of a long piece of work."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.core.cancel import Cancel
from backend.core.events import Reporter


@dataclass(frozen=True)
class Context:
    """Pass progress out of a piece of work, and a request to stop into it.

    Attributes:
        reporter: Receives progress and messages; by default only errors are shown.
        cancel: Ends the work when set.
    """

    reporter: Reporter = field(default_factory=Reporter)
    cancel: Cancel = field(default_factory=Cancel)
