"""Find when a raster was acquired: in its tags, in the names of its bands, or in the name of its file."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from backend.raster.band_names import date_of
from backend.raster.source import RasterSource

# Tags that tell the time of the acquisition: ours, of GDAL's driver of Sentinel-1 products, of OPERA and others.
# Such as TIFFTAG_DATETIME are of the processing.
TAGS = (
    "SARDINO_ACQUIRED", "ACQUISITION_START_TIME", "ACQUISITION_DATETIME", "ACQUISITION_DATE", "ACQUISITION_TIME",
    "ZERO_DOPPLER_START_TIME", "SENSING_START", "SENSING_TIME", "FIRST_LINE_TIME",
)  # fmt: skip
END = "SARDINO_ACQUIRED_END"
_DAY = r"(\d{4})-?(\d\d)-?(\d\d)"


@dataclass(frozen=True, order=True)
class Span:
    """Hold the days of an acquisition, or of all that a composite is made of.

    Attributes:
        first: First day.
        last: Last day; that of the month where only the month is known.
    """

    first: date
    last: date

    @property
    def text(self) -> str:
        """Return it as 2021-04-01, as 2021-04 for a whole month, or as first/last."""
        if self.first == self.last:
            return self.first.isoformat()
        end = calendar.monthrange(self.first.year, self.first.month)[1]
        if (self.first.day, self.last) == (1, self.first.replace(day=end)):
            return f"{self.first:%Y-%m}"
        return f"{self.first.isoformat()}/{self.last.isoformat()}"


def span_of(text: str) -> Span | None:
    """Return the days that 6 or 8 digits (YYYYMM, YYYYMMDD) stand for; None if they are not a date."""
    try:
        year, month = int(text[:4]), int(text[4:6])
        if len(text) == 8:
            day = date(year, month, int(text[6:]))
            return Span(day, day)
        return Span(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
    except (ValueError, calendar.IllegalMonthError):
        return None


def acquired(source: RasterSource, group: str = "") -> Span | None:
    """Return when a raster was acquired.

    Args:
        source: Opened.
        group: Common part of the names of the chosen bands, if the raster holds several dates.

    Returns:
        What tags tell, or else names of bands, or else the name of the file; None if nothing does.
    """
    bands, _, tags = source.texts()
    if group:
        return span_of(date_of(group))
    for name in TAGS:
        found = _tag(tags, name)
        if found is not None:
            return Span(found.first, (_tag(tags, END) or found).last)
    paths = [Path(file) for file in source.files[:1]] or [Path(source.path)]
    return next((span for text in (bands, *(p.stem for p in paths)) if (span := span_of(date_of(text)))), None)


def _tag(tags: str, name: str) -> Span | None:
    found = re.search(rf"(?:^| ){name}={_DAY}", tags)
    return span_of("".join(found.groups())) if found else None


def joined(spans: Sequence[Span | None]) -> Span | None:
    """Return the days from the first to the last of some spans; None if one of them is unknown, or there is none."""
    known = [span for span in spans if span is not None]
    if not known or len(known) < len(spans):
        return None
    return Span(min(span.first for span in known), max(span.last for span in known))


def span_tags(spans: Sequence[Span | None]) -> dict[str, str]:
    """Return the tags of a raster that is made of acquisitions: first and last day, and all dates that are known."""
    whole, known = joined(spans), sorted(span for span in spans if span is not None)
    tags = {"SARDINO_DATES": ",".join(span.text for span in known)} if known else {}
    if whole is None:
        return tags
    return {TAGS[0]: whole.first.isoformat(), END: whole.last.isoformat(), **tags}
