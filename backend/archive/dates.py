"""Read the date of a scene: a time, a day or a month, in ISO 8601."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

# Digits of a second beyond these are left out, which Python before 3.11 can't read.
_FRACTION = re.compile(r"(\.\d{1,6})\d*")
_DAY = re.compile(r"\d{4}-\d{2}(-\d{2})?")


def span(date: str) -> tuple[datetime, datetime] | None:
    """Return the first and the last moment of a date, both alike for a time; None if it is no date.

    Args:
        date: Such as 2024-01-31T05:30:00Z, 2024-01-31 or 2024-01. A time without zone is in UTC.
    """
    try:
        if "T" in date or " " in date:
            text = _FRACTION.sub(lambda found: f"{found.group(1):0<7}", date.strip().replace("Z", "+00:00"))
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
            return moment.astimezone(timezone.utc), moment.astimezone(timezone.utc)
        if not _DAY.fullmatch(date):
            return None
        parts = [int(part) for part in date.split("-")]
        first = datetime(parts[0], parts[1], parts[2] if len(parts) > 2 else 1, tzinfo=timezone.utc)
        following = first + timedelta(days=1) if len(parts) > 2 else (first + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        return None
    return first, following - timedelta(seconds=1)
