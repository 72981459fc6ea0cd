"""Define a unit of an archive: one scene, with the name under which its results are kept."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from backend.core.errors import InputError

# Names of results have a suffix and sidecars after it; file systems allow 255 bytes.
LONGEST = 150
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# A URL anywhere in a name for GDAL, such as /vsicurl/https://… or NETCDF:"https://…":band.
_URL = re.compile(_REMOTE.pattern + r"[^\"'\s]+")
_OPTIONS = "/vsicurl?"
# Parts of a query that are shorter are words, not signatures.
SECRET = 6
REST_S = 30.0
# Names of devices, which Windows keeps for itself.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Unit:
    """Hold one scene of an archive.

    Attributes:
        name: File-name-safe and unique in its archive, also where capitals don't count.
        files: Rasters whose bands follow each other, or one Sentinel-1 product. Paths or URLs.
        date: ISO 8601 date or time of acquisition; empty if unknown.
        bands: Polarisation of each band of all files, one after another, where the plan states it.
    """

    name: str
    files: tuple[str, ...]
    date: str = ""
    bands: tuple[str, ...] = ()

    @property
    def rest(self) -> float:
        """Return the seconds to wait after a failure: a server may be back by then, a disk is as it was."""
        return REST_S if any(map(_URL.search, self.files)) else 0.0

    @property
    def recorded(self) -> tuple[str, ...]:
        """Return the files as they may be written down: URLs without query, which holds signatures and keys."""
        return tuple(map(without_query, self.files))

    def unsigned(self, text: str) -> str:
        """Return a text, such as the message of a library, without the signatures and keys of its files."""
        for file, recorded in zip(self.files, self.recorded):
            text = text.replace(file, recorded)
        hidden = {part for file in self.files for part in _secrets(file)}
        for part in sorted(hidden, key=len, reverse=True):
            text = text.replace(part, "…")
        return text


def is_remote(name: str) -> bool:
    """Return whether a name is a URL."""
    return bool(_REMOTE.match(name))


def without_query(name: str) -> str:
    """Return a name with its URLs, also those within names for GDAL, without user, query and fragment."""
    if name.startswith(_OPTIONS):
        return f"/vsicurl/{without_query(dict(parse_qsl(name[len(_OPTIONS) :])).get('url', ''))}"
    return _URL.sub(lambda found: _bare(found.group()), name)


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _secrets(name: str) -> set[str]:
    """Return what `without_query` leaves out of a name, whole and in parts, as written and decoded."""
    found: set[str] = set()
    urls = _URL.findall(name)
    if name.startswith(_OPTIONS):
        urls = [name[len("/vsicurl") :], *(value for _, value in parse_qsl(name[len(_OPTIONS) :]) if is_remote(value))]
    for parts in map(urlsplit, urls):
        user = parts.netloc.rpartition("@")[0]
        values = (pair.partition("=")[2] for pair in parts.query.split("&"))
        found |= {parts.query, user, user.partition(":")[2], parts.fragment, *values}
    forms = {form for text in found for form in (text, unquote(text), quote(unquote(text), safe=""))}
    return {form for form in forms if len(form) >= SECRET}


def stem(name: str) -> str:
    """Return the last part of a path or URL without its extension, or that of a product."""
    path = PurePosixPath(urlsplit(name).path) if is_remote(name) else PureWindowsPath(name)
    return path.stem


def safe_name(text: str) -> str:
    """Return a text as a name of a folder on every system: ASCII letters, digits, "-", "_" and "."."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^0-9A-Za-z._-]+", "_", plain).strip("._")
    if len(name) > LONGEST or _RESERVED.fullmatch(name) or not name:
        name = f"{name[: LONGEST - 20]}_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
    return name.strip("._")


def named_apart(units: Sequence[Unit]) -> list[Unit]:
    """Return units whose names differ, also without regard to capitals: equal ones get a digest of their files.

    Raises:
        InputError: Two units have the same name and files.
    """
    often = Counter(unit.name.lower() for unit in units)
    result = [
        replace(unit, name=f"{unit.name}_{_digest(unit)}") if often[unit.name.lower()] > 1 else unit for unit in units
    ]
    seen: set[str] = set()
    for unit in result:
        if unit.name.lower() in seen:
            raise InputError(f"The plan names {', '.join(unit.recorded)} twice.", "Name each scene once.")
        seen.add(unit.name.lower())
    return result


def _digest(unit: Unit) -> str:
    return hashlib.sha256("\n".join(unit.recorded).encode("utf-8", "surrogatepass")).hexdigest()[:8]
