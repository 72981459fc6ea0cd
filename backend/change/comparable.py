"""Find reasons for which two SAR dates differ without a change of the land."""

from __future__ import annotations

from backend.raster.acquisition import PROCESSING, Origin, Span

SECONDS_A_DAY = 86_400
# Satellites pass over a place of their track at the same time of day to within seconds; scenes of a pass begin up to
# half a minute apart, mosaics of several more. Neighbouring tracks, 2.06 degrees apart, are eight minutes apart.
SAME_PASS_S = 300
_WORDS = dict(zip(PROCESSING, ("quantity", "terrain correction", "terrain flattening", "thermal noise")))


def warnings(before: Origin, after: Origin) -> list[str]:
    """Return warnings, as far as tags and names tell: order of the dates, orbits, processing."""
    order = order_warning(before.span, after.span, "rise and fall")
    return [text for text in (order, _orbits(before, after), _processing(before, after)) if text]


def order_warning(first: Span | None, second: Span | None, directions: str) -> str:
    """Return a warning if the earlier date is not before the later one; else "".

    Args:
        first: Days of the earlier date; None if unknown.
        second: Days of the later date.
        directions: What is exchanged with the dates, such as "rise and fall".
    """
    if first is None or second is None or first.first != first.last or second.first != second.last:
        return ""  # of a month or a year, one day may be before the other
    if first == second:
        return f"Both rasters are of {first.text}: there may be no change to find."
    if first.first < second.first:
        return ""
    return (
        f"The earlier date is of {first.text}, and the later one of {second.text}: the dates are exchanged, and with "
        f"them {directions}."
    )


def _orbits(before: Origin, after: Origin) -> str:
    differ = [
        before.direction and after.direction and before.direction != after.direction,
        before.track is not None and after.track is not None and before.track != after.track,
        before.second is not None and after.second is not None and _apart(before.second, after.second) > SAME_PASS_S,
    ]
    if not any(differ):
        return ""
    return (
        f"The dates are of different orbits ({_orbit(before)}; {_orbit(after)}). From another direction, slopes, "
        "houses and edges of forest look different though nothing changed: compare dates of one orbit, which have the "
        "same time of day to within a minute."
    )


def _apart(first: int, second: int) -> int:
    apart = abs(first - second)
    return min(apart, SECONDS_A_DAY - apart)


def _orbit(date: Origin) -> str:
    time = "" if date.second is None else f"{date.second // 3600:02}:{date.second // 60 % 60:02} UTC"
    track = "" if date.track is None else f"track {date.track}"
    return ", ".join(filter(None, (date.direction, track, time))) or "unknown"


def _processing(before: Origin, after: Origin) -> str:
    first, second = before.processing, after.processing
    odd = [key for key in _WORDS if key in first and key in second and first[key] != second[key]]
    if not odd:
        return ""
    listed = "; ".join(f"{_WORDS[key]}: {first[key]} and {second[key]}" for key in odd)
    return f"The dates were processed differently ({listed}), which changes backscatter too. Process both alike."
