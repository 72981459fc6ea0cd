"""Keep the origin tags that all dates share, and report those in which they differ."""

from __future__ import annotations

from collections.abc import Sequence

from backend.raster.acquisition import PROCESSING, origin_processing
from backend.series.members import Member

QUANTITY = PROCESSING[0]


def shared_tags(members: Sequence[Member]) -> dict[str, str]:
    """Return the tags of calibrated products that all members have with one value."""
    tags = [origin_processing(member.source.tags()) for member in members]
    found = {key: {each.get(key, "") for each in tags} for key in PROCESSING}
    return {key: next(iter(values)) for key, values in found.items() if len(values) == 1 and "" not in values}


def differing(members: Sequence[Member]) -> str:
    """Return a warning if some dates are another quantity than others, by their tags; else ""."""
    kinds = sorted({member.source.tags().get(QUANTITY, "") for member in members} - {""})
    if len(kinds) < 2:
        return ""
    return f"Some dates are {kinds[0]}, others {kinds[1]}: levels differ by about 1 to 2 dB. Better give one quantity."
