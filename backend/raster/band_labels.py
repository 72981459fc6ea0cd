"""Find the names of an opened raster's bands: in descriptions, tags, sources of a virtual raster, names of files."""

from __future__ import annotations

import html
import os
import re
import stat
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import rasterio
from rasterio.errors import NotGeoreferencedWarning

from backend.raster.band_names import date_of, parse
from backend.raster.errors import RASTER_ERRORS

# Tags of a band, or of a raster of one band, that name its variable or polarisation.
KEYS = ("NETCDF_VARNAME", "POLARISATION", "POLARIZATION", "BANDNAME", "BAND_NAME", "LONG_NAME", "NAME")
# Further tags are not read of rasters with more bands: there they would take seconds.
MOST_TAGGED = 500
# The first files of a mosaic name a band.
MOST_SOURCES = 4
NAMES, FILE_NAMES = "names", "file names"
# Tag of a band of our own virtual rasters that was named by its file.
NAMED_BY = "SARDINO_NAMED_BY"
# These words of a file's or folder's name are trusted; other words are too common in names of files.
TELLING_WORDS = ("coh", "coherence", "std", "stdev", "stddev", "beta0", "phase", "ifg", "interferogram", "lia")
# SNAP keeps the metadata of a product in this tag of its GeoTIFFs.
SNAP_TAG = 65000
SNAP_LIMIT = 16 * 2**20
_SNAP_BAND = re.compile(r"<Spectral_Band_Info>(.*?)</Spectral_Band_Info>", flags=re.DOTALL)
_SNAP_FIELD = r"<{0}>\s*([^<]*?)\s*</{0}>"
_SOURCE_BAND = re.compile(r"<SourceBand>\s*(?:mask,)?(\d{1,6})\s*</SourceBand>")
_SOURCE = re.compile(r"<SourceFilename[^>]*>([^<]*)</SourceFilename>")
_SUBDATASET = re.compile(r"[A-Za-z][A-Za-z0-9_]+:(?!//)\"?(.+?)\"?:(.+)$")


@dataclass(frozen=True)
class Labels:
    """Hold names of all bands of a raster.

    Attributes:
        texts: One for each band; its description, or what else names it.
        where: For each band NAMES, FILE_NAMES, or "" if nothing names it.
    """

    texts: tuple[str, ...]
    where: tuple[str, ...]


def label_bands(file: Any, usable: Sequence[int]) -> Labels:
    """Return the name of each band of an opened rasterio dataset, and where it was found.

    A description that names a polarisation or another quantity counts before tags, tags before names of files.

    Args:
        file: Opened rasterio dataset.
        usable: Band numbers that aren't alpha. The name of the raster's own file counts only for a single one.
    """
    descriptions = [text or "" for text in file.descriptions]
    unnamed = [band for band in usable if not parse(descriptions[band - 1]).polarisations]
    texts, where = list(descriptions), [NAMES if parse(text).tells else "" for text in descriptions]
    if file.driver == "VRT" and file.count <= MOST_TAGGED:
        where = [file.tags(band).get(NAMED_BY, told) for band, told in enumerate(where, 1)]
    unnamed = unnamed if len(unnamed) <= MOST_TAGGED else []
    snap = _snap_names(file) if not any(where) else []
    sources = {band: _source(file, band) for band in unnamed} if file.driver == "VRT" else {}
    if len(sources) > 1 and len(set(sources.values())) == 1:
        sources = {}  # one name for all bands identifies none of them
    for band in unnamed:
        named = [(name, NAMES) for name in (*_tagged(file, band), *snap[band - 1 : band])]
        named.append((sources.get(band, ""), FILE_NAMES))
        told = next(((name, source) for name, source in named if parse(name).tells and not parse(name).ratio), None)
        if told is None and len(usable) == 1:
            told = _own_name(file.name)
        if told:
            # The description may say the rest: "coh" in S1_VV.tif.
            texts[band - 1] = f"{told[0]} {descriptions[band - 1]}".strip()
            where[band - 1] = told[1] or where[band - 1]
    return Labels(tuple(texts), tuple(where))


def dated(text: str, file: Any) -> str:
    """Return the name of a band with the date in its file's name, if it has none itself."""
    date = "" if date_of(text) else date_of(_variable_and_path(file.name)[1].stem)
    return f"{text} {date}" if date else text


def file_label(path: Path) -> str:
    """Return the name of a file, with that of its folder where the file's own isn't sufficient."""
    stem, folder = path.stem, path.parent.name
    tells = is_short(folder) and bool(parse(folder).backscatter) and not parse(stem).polarisations
    return f"{folder} {stem}" if tells or folder.lower() in TELLING_WORDS else stem


def is_short(folder: str) -> bool:
    """Return whether the name of a folder, such as "S1_VV", is a label; one of many words is a sentence."""
    return len(re.split(r"[\W_]+", folder)) <= 3


def _own_name(name: str) -> tuple[str, str] | None:
    """Return the name of a raster of one band, and its origin: its variable, its file or its folder."""
    variable, path = _variable_and_path(name)
    if parse(variable).tells:
        return variable, NAMES
    label = file_label(path)
    told = parse(label)
    if told.polarisations:
        return label, FILE_NAMES if not told.ratio else ""
    words = re.split(r"[^a-z0-9]+", label.lower())
    sure = not told.kinds or any(word in TELLING_WORDS for word in words)
    return (label, "") if label and sure else None


def _variable_and_path(name: str) -> tuple[str, Path]:
    """Return the variable, such as VH in NETCDF:"a.nc":VH, and the path in a name for GDAL."""
    if name.lstrip().startswith("<"):  # a virtual raster as text
        return "", Path()
    inside = _SUBDATASET.match(name)
    path = Path((inside[1] if inside else name).partition("?")[0])
    return (inside[2].rstrip("/").rpartition("/")[2] if inside else ""), path


def _tagged(file: Any, band: int) -> list[str]:
    found = {key.upper(): value for key, value in file.tags(band).items()}
    if file.count == 1:
        found = {**{key.upper(): value for key, value in file.tags().items()}, **found}
    return [found[key] for key in KEYS if key in found]


def _source(file: Any, band: int) -> str:
    """Return the name of the files that a band of a virtual raster is read from, if they tell the same; else ""."""
    found = {}
    for text in list(file.tags(band, ns="vrt_sources").values())[:MOST_SOURCES]:
        named, number = _SOURCE.search(text), _SOURCE_BAND.search(text)
        source = html.unescape(named[1]) if named else ""
        variable, path = _variable_and_path(source)
        name = variable if parse(variable).tells else file_label(path)
        if not parse(name).tells:
            name = _described(Path(file.name).parent / source, int(number[1]) if number else 1) or name
        found[parse(name).polarisations, parse(name).kinds] = name
    return next(iter(found.values())) if len(found) == 1 else ""


def _described(path: Path, band: int) -> str:
    """Return the description of a band in another file: gdalbuildvrt -separate drops it; "" if there is none."""
    try:
        if not path.is_file():
            return ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as file:
                return file.descriptions[band - 1] or "" if 0 < band <= file.count else ""
    except (*RASTER_ERRORS, OSError, ValueError):
        return ""  # reading pixels reports it, if they are needed


def others_by_file(path: str, names: Sequence[str]) -> list[str]:
    """Return the polarisations in the name of a file, if they are others than those of a model's bands."""
    wanted = {polarisation for name in names for polarisation in parse(name).polarisations}
    told = parse(Path(path).stem).polarisations
    if re.search(r"(?<![A-Za-z0-9])1S[SD]H(?![A-Za-z0-9])", path):
        told |= {"HH"}
    return sorted(told) if wanted and told and not told & wanted else []


def _snap_names(file: Any) -> list[str]:
    """Return the band names that SNAP wrote into a GeoTIFF; an empty list if there are none, or not one for each."""
    if file.driver not in ("GTiff", "COG", "SNAP_TIFF"):
        return []
    try:
        if not stat.S_ISREG(os.stat(file.name).st_mode):
            return []
        with open(file.name, "rb") as opened:
            text = _ascii_tag(opened, SNAP_TAG)
    except (OSError, ValueError, struct.error):  # not a local file, or a damaged one: then it names nothing
        return []
    names = {}
    # Matched as text, not parsed as XML: there are no entities to expand.
    for block in _SNAP_BAND.findall(text):
        number, name, virtual = (
            re.search(_SNAP_FIELD.format(key), block) for key in ("BAND_INDEX", "BAND_NAME", "VIRTUAL_BAND")
        )
        if number and name and number[1].isdecimal() and not (virtual and virtual[1].lower() == "true"):
            names[int(number[1])] = name[1]
    return [names[number] for number in sorted(names)] if len(names) == file.count else []


def _ascii_tag(file: BinaryIO, wanted: int) -> str:
    """Return the text of a tag in the first directory of a TIFF; "" if it isn't there or is too long."""
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}[head[:2]] if head[:2] in (b"II", b"MM") else ""
    if not order:
        return ""
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    start = struct.unpack(f"{order}Q", head[8:16])[0] if big else struct.unpack(f"{order}I", head[4:8])[0]
    file.seek(start)
    count = struct.unpack(f"{order}{'Q' if big else 'H'}", file.read(8 if big else 2))[0]
    shape = f"{order}HH{'QQ' if big else 'II'}"
    for _ in range(min(count, 2**16)):
        tag, kind, length, place = struct.unpack(shape, file.read(struct.calcsize(shape)))
        if tag == wanted:
            if kind not in (1, 2, 7) or not 8 < length <= SNAP_LIMIT:
                return ""
            file.seek(place)
            return file.read(length).decode("utf-8", errors="replace")
    return ""
