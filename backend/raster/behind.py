"""List the files that GDAL reads with a raster; refuse pipes and devices among them, and calls to the network.

GDAL opens sidecars (.aux.xml, .ovr, .IMD …) and sources of virtual rasters by itself, and waits for ever for a pipe.
"""

from __future__ import annotations

import errno
import html
import os
import re
import time
from collections.abc import Iterator

from backend.core.errors import UnreadableError
from backend.core.regular_file import is_special, read_regular
from backend.raster.foreign import HINT

# A virtual raster of 100,000 sources has about 60 MB.
MOST_TEXT = 128 * 2**20
# GDAL looks for its mark in the first kilobyte.
HEAD = 8192
_VIRTUAL = b"<VRTDataset"
_SERVICES = (b"<GDAL_WM", b"<WMS_", b"<WMT_MS", b"<WCS_GDAL")
_NETWORK = re.compile(
    r"(?:https?|ftp|s3|gs|az|adl|abfss?|oss|swift|hdfs|webhdfs)://|/vsi(?:curl|s3|gs|az|adls|oss|swift|hdfs|webhdfs)"
    r"(?:_streaming)?[/?]|^(?:WMS|WCS|WMTS|PG|STACTA|STACIT|EEDA|EEDAI|DAAS|NGW|PLMOSAIC|PLSCENES|DODS):|<GDAL_WM",
    re.IGNORECASE,
)
# Elements of GDAL's XML that name a file, and keys of metadata that do.
_NAMING = re.compile(r"file|dataset|dsn|path|url|source", re.IGNORECASE)
_NAMING_KEYS = re.compile(r"key\s*=\s*[\"'](?:OVERVIEW_FILE|[XY]_DATASET|RPC_DEM)[\"']", re.IGNORECASE)
# Characters between file names in GDAL's other names: NETCDF:"a.nc":vv, /vsisubfile/0_9,a.tif, vrt://a.tif?bands=1.
_SEPARATORS = re.compile(r"/vsi[a-z0-9_]+/|\w{2,}://|[{}\"?,&=]|(?<=\w\w):")
# Servers don't give the time of change of every raster: after so many seconds one counts as changed.
NETWORK_S = 60.0
# A folder is listed again only if it changed: one of training data is asked about once for each of its files.
SETTLED_S, MOST_LISTED = 2.5, 64
_listed: dict[str, tuple[tuple[int, int, int], list[str]]] = {}
# GDAL's cache of a raster on the network is dropped when it is closed: a later run may find another raster there.
FORGOTTEN = ":".join(f"/vsi{kind}/" for kind in ("curl", "s3", "gs", "az", "adls", "oss", "swift"))
SIDECARS = (".aux.xml", ".ovr", ".msk")
# Endings of sidecars that have the name of a raster only in part, or none of it.
_ENDINGS = (
    ".aux", ".xml", ".ovr", ".msk", ".imd", ".rpb", ".rpc", ".txt", ".til", ".att", ".eph", ".geo", ".pvl", ".dim",
    ".hdr", ".prj", ".wld", ".tab", ".tfw", ".rrd", ".ige", ".qml", ".json", ".clr", ".stx", ".blw",
)  # fmt: skip


def check_behind(name: str) -> None:
    """Check the files that GDAL would open for a raster, before it does.

    Args:
        name: File, name for GDAL, or XML of a virtual raster.

    Raises:
        UnreadableError: A pipe, socket or device is among it, or the network though `name` is not on the network.
    """
    for _ in _walk(name):
        pass


def is_on_network(name: str) -> bool:
    """Return whether GDAL finds a raster on the network."""
    return bool(_NETWORK.search(name)) and not os.path.exists(name)


def stamps(name: str, further: tuple[str, ...] = ()) -> tuple[object, ...]:
    """Return name, number, time and size of each file of a raster, sidecars included, to notice changes.

    Of a raster on the network it changes every NETWORK_S.
    """
    if is_on_network(name):
        check_behind(name)
        return name, int(time.monotonic() // NETWORK_S)
    files = [*_walk(name), *further]
    return tuple(_stamp(part) for file in dict.fromkeys(files) for part in (file, *(file + end for end in SIDECARS)))


def _stamp(path: str) -> tuple[object, ...]:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return (path,)
    return path, found.st_ino, found.st_mtime_ns, found.st_size


def _walk(name: str) -> Iterator[str]:
    """Return each file behind a raster, checked: itself, and what it and its sidecars name, to any depth."""
    _check_input(name, name)
    if is_on_network(name):
        return
    inline = name.lstrip().startswith("<")
    top = "A virtual raster" if inline else name
    seen: set[str] = set()
    folders: dict[str, list[str]] = {}
    waiting = list(_named(name, "", top)) if inline else _paths(name)
    while waiting:
        path = os.path.abspath(waiting.pop())
        if path in seen:
            continue
        seen.add(path)
        _check(path, top)
        if not os.path.isfile(path):
            continue
        yield path
        _check_beside(path, top, folders)
        waiting += [path + end for end in SIDECARS if os.path.exists(path + end)]
        waiting += _named_in_file(path, top)


def _check_input(name: str, top: str) -> None:
    if "/vsistdin" in name.lower():
        raise UnreadableError(f"{top:.200} would be read from standard input.", HINT)


def _check(path: str, top: str) -> None:
    if is_special(path):
        if path == os.path.abspath(top):
            raise UnreadableError(f"{top} is not a file but a pipe, socket or device.", HINT)
        raise UnreadableError(
            f"{top} would be read together with {path}, which is not a file but a pipe, socket or device.",
            "Remove or rename that one.",
        )


def _check_beside(path: str, top: str, folders: dict[str, list[str]]) -> None:
    """Refuse a special file that GDAL may take for a sidecar of a raster by its name."""
    folder, name = os.path.split(path)
    if folder not in folders:
        folders[folder] = _odd_ones(folder)
    stem = os.path.splitext(name)[0].lower()
    for other in folders[folder]:
        if other.lower().startswith(stem) or other.lower().endswith(_ENDINGS):
            _check(os.path.join(folder, other), top)


def _odd_ones(folder: str) -> list[str]:
    """Return the names in a folder that are neither files nor folders, or links."""
    try:
        found = os.stat(folder)
        stamp = found.st_dev, found.st_ino, found.st_mtime_ns
        if folder in _listed and _listed[folder][0] == stamp:
            return _listed[folder][1]
        with os.scandir(folder) as entries:
            odd = [
                entry.name
                for entry in entries
                if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
            ]
        # A folder that changed just now may change again without another time.
        if time.time() - found.st_mtime > SETTLED_S:
            if len(_listed) >= MOST_LISTED:
                _listed.clear()
            _listed[folder] = stamp, odd
        return odd
    except OSError:
        return []


def _named_in_file(path: str, top: str) -> Iterator[str]:
    """Return the files that a virtual raster, or a sidecar with metadata, names."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
        if any(mark in head for mark in _SERVICES):
            raise UnreadableError(
                f"{path} describes a service on the network, not a raster of backscatter.", "Download the raster first."
            )
        if _VIRTUAL not in head and not path.lower().endswith(".aux.xml"):
            return
        text = read_regular(path, MOST_TEXT).decode("utf-8", "surrogateescape")
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise UnreadableError(f"{path} can't be read: {error.strerror}.", HINT) from error
        return  # GDAL says why it can't be read
    yield from _named(text, os.path.dirname(path), top)


def _named(text: str, folder: str, top: str) -> Iterator[str]:
    """Return the files named in XML for GDAL, whose parser takes much that is no XML.

    Raises:
        UnreadableError: A source is on the network.
    """
    names = False
    for piece in text.replace("<![CDATA[", "").replace("]]>", "").split("<"):
        tag, _, after = piece.partition(">")
        if not piece.startswith("!"):
            names = bool(_NAMING.search(tag.split(None, 1)[0] if tag.strip() else "") or _NAMING_KEYS.search(tag))
        for value in {html.unescape(part).strip() for part in (after, piece.rpartition(">")[2])}:
            if not value:
                continue
            _check_input(value, top)
            if names and is_on_network(value):
                raise UnreadableError(
                    f"{top} is not a raster of this computer alone: it names a source on the network, {value[:200]}.",
                    "Download that raster, and name its file instead; or give its address as the input.",
                )
            if names and value.startswith("<"):
                yield from _named(value, folder, top)
            elif len(value) < 4096 and "\n" not in value and (names or "/" in value):
                yield from _paths(value, folder)


def _paths(name: str, folder: str = "") -> list[str]:
    """Return the paths in a name for GDAL that exist, relative to a folder and to the working folder."""
    found = []
    for part in dict.fromkeys((name, *_SEPARATORS.split(name), *name.split(":"))):
        for path in dict.fromkeys((os.path.join(folder, part), part)):
            try:
                if part.strip("./ ") and os.path.lexists(path):
                    found.append(path)
                elif "/" in part and is_special(os.path.dirname(path)):  # /vsizip/archive/inside.tif
                    found.append(os.path.dirname(path))
            except ValueError:
                continue  # a NUL
    return found
