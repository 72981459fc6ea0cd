"""Keep the origin tags that all dates share, and report those in which they differ."""

from __future__ import annotations

from collections.abc import Sequence

from backend.raster.acquisition import tag
from backend.series.members import Member

KEYS = ("SARDINO_QUANTITY", "SARDINO_TERRAIN_CORRECTION", "SARDINO_THERMAL_NOISE")
QUANTITY = KEYS[0]


def shared_tags(members: Sequence[Member]) -> dict[str, str]:
    """Return the tags of calibrated products that all members have with one value."""
    found = {key: {tag(member.source.texts()[2], key) for member in members} for key in KEYS}
    return {key: next(iter(values)) for key, values in found.items() if len(values) == 1 and "" not in values}


def differing(members: Sequence[Member]) -> str:
    """Return a warning if some dates are another quantity than others, by their tags; else ""."""
    kinds = sorted({tag(member.source.texts()[2], QUANTITY) for member in members} - {""})
    if len(kinds) < 2:
        return ""
    return f"Some dates are {kinds[0]}, others {kinds[1]}: levels differ by about 1 to 2 dB. Better give one quantity."
