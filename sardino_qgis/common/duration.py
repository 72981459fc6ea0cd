"""Format the time left of a run."""

from __future__ import annotations

from typing import Any

from .i18n import tr


def time_left(seconds: Any) -> str:
    """Return a phrase for the time left, in coarse steps; an empty string where `seconds` is no sensible number."""
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e7:
        return ""
    if seconds < 60:
        return tr("less than a minute left")
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("about {} min left").format(minutes)
    return tr("about {hours} h {minutes} min left").format(hours=minutes // 60, minutes=minutes % 60)
