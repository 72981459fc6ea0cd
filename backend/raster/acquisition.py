"""Find when and how a raster was acquired and processed: in its tags, in names of its bands, or in that of its file."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
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
_DIRECTIONS = (
    "ORBIT_DIRECTION", "ORBIT_PASS_DIRECTION", "PASS_DIRECTION", "ORBIT_PASS", "PASS", "orbitProperties_pass",
)  # fmt: skip
_TRACKS = ("TRACK_NUMBER", "RELATIVE_ORBIT_NUMBER", "RELATIVE_ORBIT", "TRACK", "relativeOrbitNumber_start")
# The time in names of Sentinel-1 products, also after another time, and elsewhere.
_START = re.compile(r"(?<![A-Z0-9])S1[A-D]_[A-Z0-9_-]*?_((?:19|20)\d{6})T(\d\d)(\d\d)(\d\d)(?!\d)", re.IGNORECASE)
_CLOCK = re.compile(r"(?<!\d)(?:19|20)\d\d-?\d\d-?\d\d[tT](\d\d):?(\d\d):?(\d\d)(?!\d)")
_CLOCK_TAG = re.compile(r"(?:^|[T ])(\d\d):(\d\d):(\d\d)")
# As in the names of OPERA (T071-151226-IW3) and of S1Tiling (vv_DES_110_20200101t060000).
_TRACK_NAME = re.compile(r"(?:^|_)T(\d{3})-\d{6}-|_(?:ASC|DES)_(\d{3})_\d{8}", re.IGNORECASE)
_DIRECTION_NAME = re.compile(r"_(ASC|DES)_\d{3}_\d{8}|(?:^|[_\-. ])(asc|desc)(?:ending)?(?=$|[_\-. ])", re.IGNORECASE)
# Each date has its own file of precise orbits, which `calibrate` names in its tag of the terrain correction.
_ORBIT = ", orbit of "
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
    if group:
        return span_of(date_of(group))
    told = acquired_by_tags(source.tags())
    if told is not None:
        return told
    paths = [Path(file) for file in source.files[:1]] or [Path(source.path)]
    texts = source.texts()[0], *(path.stem for path in paths)
    return next((span for text in texts if (span := span_of(_named_day(text)))), None)


def _named_day(text: str) -> str:
    start = _START.search(text)
    return start[1] if start else date_of(text)


def acquired_by_tags(tags: Mapping[str, str]) -> Span | None:
    """Return when a raster was acquired, by its tags; None if they don't tell."""
    found = next((day for name in TAGS if (day := _day(tags, name))), None)
    return Span(found.first, (_day(tags, END) or found).last) if found else None


def _day(tags: Mapping[str, str], name: str) -> Span | None:
    found = re.match(_DAY, tags.get(name, ""))
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
    tags, (bands, files, _) = source.tags(), source.texts()
    names = f"{bands} {_ENDING.sub('', files)}"
    where = _track(tags, names), _direction(tags, names)
    return Origin(acquired(source), _second(tags, names), *where, origin_processing(tags))


def origin_processing(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags PROCESSING that are there, without what differs between dates that were processed alike."""
    return {key: tags[key].partition(_ORBIT)[0] for key in PROCESSING if tags.get(key)}


def _second(tags: Mapping[str, str], names: str) -> int | None:
    told = [tags[key] for key in TAGS if tags.get(key)]
    found = next((clock for text in told if (clock := _CLOCK_TAG.search(text))), None)
    found = found or (None if told else _START.search(names) or _CLOCK.search(names))
    if found is None or END in tags:
        return None
    hours, minutes, seconds = map(int, found.groups()[-3:])
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds <= 60 else None


def _track(tags: Mapping[str, str], names: str) -> int | None:
    told = next((tags[key] for key in _TRACKS if tags.get(key, "").isdecimal()), "")
    found = _TRACK_NAME.search(names)
    return int(told) if told else int(found[1] or found[2]) if found else None


def _direction(tags: Mapping[str, str], names: str) -> str:
    found = _DIRECTION_NAME.search(names)
    told = next((tags[key] for key in _DIRECTIONS if tags.get(key)), "") or (found[1] or found[2] if found else "")
    kind = told[:3].lower()
    return ASCENDING if kind == "asc" else DESCENDING if kind == "des" else ""
