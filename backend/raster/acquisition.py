"""Find when and how a raster was acquired and processed: in its tags, in names of its bands, or in that of its file."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
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
# Tags of calibrated products that tell how their values were made.
PROCESSING = ("SARDINO_QUANTITY", "SARDINO_TERRAIN_CORRECTION", "SARDINO_TERRAIN_FLATTENING", "SARDINO_THERMAL_NOISE")
ASCENDING, DESCENDING = "ascending", "descending"
_DIRECTIONS = ("ORBIT_DIRECTION", "ORBIT_PASS_DIRECTION", "PASS_DIRECTION", "ORBIT_PASS", "PASS")
_TRACKS = ("TRACK_NUMBER", "RELATIVE_ORBIT_NUMBER", "RELATIVE_ORBIT", "TRACK")
_CLOCK = re.compile(r"(?<!\d)(?:19|20)\d{6}[tT](\d\d)(\d\d)(\d\d)(?!\d)")
_CLOCK_TAG = re.compile(r"[T ](\d\d):(\d\d):(\d\d)")
# As in the names of OPERA (T071-151226-IW3) and of S1Tiling (vv_DES_110_20200101t060000).
_TRACK_NAME = re.compile(r"(?:^|_)T(\d{3})-\d{6}-|_(?:ASC|DES)_(\d{3})_", re.IGNORECASE)
_DIRECTION_NAME = re.compile(r"(?:^|[_\-. ])(asc|desc?)(?:ending)?(?=$|[_\-. ])", re.IGNORECASE)
_ENDING = re.compile(r"\.[A-Za-z]{2,4}(?= |$)")


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


@dataclass(frozen=True)
class Origin:
    """Hold what is known about the acquisition of a raster.

    Attributes:
        span: Days of the acquisition; None if unknown.
        second: Second of the day (UTC) at which it began; None if unknown.
        track: Relative orbit; None if unknown.
        direction: ASCENDING, DESCENDING or "".
        processing: Values of those of the tags PROCESSING that it has.
    """

    span: Span | None = None
    second: int | None = None
    track: int | None = None
    direction: str = ""
    processing: dict[str, str] = field(default_factory=dict)


def origin_of(source: RasterSource) -> Origin:
    """Return what tags, or else the names of bands and files, tell about a raster of one date."""
    bands, files, tags = source.texts()
    names = f"{bands} {_ENDING.sub('', files)}"
    return Origin(
        acquired(source),
        _second(tags, names),
        _track(tags, names),
        _direction(tags, names),
        {key: value for key in PROCESSING if (value := tag(tags, key))},
    )


def tag(tags: str, key: str) -> str:
    """Return the value of a tag among those that `RasterSource.texts` joins; "" if it is not there."""
    found = re.search(rf"(?:^| ){key}=(.*?)(?= [A-Z][A-Z_]+=|$)", tags)
    return found[1] if found else ""


def _second(tags: str, names: str) -> int | None:
    told = next((text for key in TAGS if (text := tag(tags, key))), "")
    found = _CLOCK_TAG.search(told) or (None if told else _CLOCK.search(names))
    if found is None:
        return None
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds <= 60 else None


def _track(tags: str, names: str) -> int | None:
    told = next((text for key in _TRACKS if (text := tag(tags, key)).isdecimal()), "")
    found = _TRACK_NAME.search(names)
    return int(told) if told else int(found[1] or found[2]) if found else None


def _direction(tags: str, names: str) -> str:
    told = next((text for key in _DIRECTIONS if (text := tag(tags, key))), "").lower()
    if not told and (found := _DIRECTION_NAME.search(names)):
        told = found[1].lower()
    return ASCENDING if told.startswith("asc") else DESCENDING if told.startswith("des") else ""
