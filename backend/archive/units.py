"""Define a unit of an archive: one scene, with the name under which its results are kept."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import urlsplit, urlunsplit

from backend.core.errors import InputError

# Names of results have a suffix and sidecars after it; file systems allow 255 bytes.
LONGEST = 150
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# Names of devices, which Windows keeps for itself.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Unit:
    """Hold one scene of an archive.

    Attributes:
        name: File-name-safe and unique in its archive, also where capitals don't count.
        files: Rasters whose bands follow each other, or one Sentinel-1 product. Paths or URLs.
        date: ISO 8601 date or time of acquisition; empty if unknown.
    """

    name: str
    files: tuple[str, ...]
    date: str = ""

    @property
    def recorded(self) -> tuple[str, ...]:
        """Return the files as they may be written down: URLs without query, which holds signatures and keys."""
        return tuple(map(without_query, self.files))


def is_remote(name: str) -> bool:
    """Return whether a name is a URL."""
    return bool(_REMOTE.match(name))


def without_query(name: str) -> str:
    """Return a URL without user, query and fragment; a path as it is."""
    if not is_remote(name):
        return name
    parts = urlsplit(name)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


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
