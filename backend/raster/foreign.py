"""Recognise files that GDAL can't open as a raster, and advise what to do with them."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import rasterio

from backend.core.errors import InputError, UnreadableError
from backend.raster.errors import RASTER_ERRORS

HINT = "Give a raster file, such as a GeoTIFF with VV and VH."
MANIFEST = "manifest.safe"
IMAGES = (".tif", ".tiff", ".img", ".vrt", ".jp2", ".nc", ".h5")
AGAIN = "Copy or download it again, whole."
UNPACK = "Unpack it, and give a raster inside."
CALIBRATE = "Calibrate it first: `python -m backend calibrate`, in QGIS Calibrate Sentinel-1 GRD."
DAMAGED_ZIP = ("a zip that is damaged or cut off", AGAIN)
# What a file is, and what to do with it, by its ending.
KINDS = {
    ".kmz": ("a picture for Google Earth", "It has colours instead of backscatter: get the data themselves."),
    ".kml": ("a drawing for Google Earth", "Get the raster itself."),
    ".shp": ("a vector layer", HINT), ".geojson": ("a vector layer", HINT), ".gpx": ("a vector layer", HINT),
    ".csv": ("a table", HINT), ".txt": ("a text file", HINT), ".pdf": ("a document", HINT),
    ".qgz": ("a QGIS project", "Give the raster of one of its layers."),
    ".qgs": ("a QGIS project", "Give the raster of one of its layers."),
    ".tar": ("an archive", UNPACK), ".tgz": ("an archive", UNPACK), ".gz": ("an archive", UNPACK),
    ".7z": ("an archive", UNPACK), ".rar": ("an archive", UNPACK),
    ".part": ("an unfinished download", AGAIN), ".crdownload": ("an unfinished download", AGAIN),
    ".download": ("an unfinished download", AGAIN), ".tmp": ("a temporary file", HINT),
    ".xml": ("a file of metadata", "Give the raster that it describes."), ".json": ("a text file", HINT),
    ".safetensors": ("a model's weights", HINT), ".eof": ("an orbit file", HINT),
}  # fmt: skip
SIDECARS = (".aux.xml", ".qml", ".tfw", ".tifw", ".prj", ".hdr", ".msk", ".xml", ".qmd", ".wld", ".ovr")
HEADS = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "Fetch it with `git lfs pull`."),
    (b"<!doctype html", "a web page", "The download went wrong, mostly for want of a login: download the file again."),
    (b"<html", "a web page", "The download went wrong, mostly for want of a login: download the file again."),
    (b"II*\0", "a TIFF that is damaged or cut off", AGAIN), (b"MM\0*", "a TIFF that is damaged or cut off", AGAIN),
    (b"II+\0", "a TIFF that is damaged or cut off", AGAIN), (b"MM\0+", "a TIFF that is damaged or cut off", AGAIN),
    (b"\x89HDF", "an HDF5 or netCDF file that is damaged or cut off", AGAIN),
)  # fmt: skip
# Raw values may begin with "BM" too; of a BMP file four bytes are 0.
PICTURES = (
    (rb"\x89PNG", "PNG"), (rb"\xff\xd8\xff", "JPEG"), (rb"GIF8", "GIF"), (rb"BM.{4}\0{4}", "BMP"),
    (rb"RIFF.{4}WEBP", "WebP"),
)  # fmt: skip
BACKSCATTER = re.compile(r"(?<![A-Za-z])(VV|VH|HH|HV)(?![A-Za-z])", re.IGNORECASE)
BESIDE = re.compile(r"mask|angle|look|coh|std|count|area", re.IGNORECASE)


def unknown(path: str) -> UnreadableError:
    """Return the refusal of a path that GDAL can't open."""
    with suppress(OSError, ValueError):
        found = _folder(Path(path)) if os.path.isdir(path) else _file(Path(path))
        if found is not None:
            return UnreadableError(f"{path} is not a raster that GDAL can open: it is {found[0]}.", found[1])
    return UnreadableError(f"{path} is not a raster that GDAL can open.", HINT)


def refuse_picture(path: str) -> None:
    """Refuse PNG, JPEG and other pictures, which GDAL opens as rasters.

    Raises:
        InputError: The file is a picture.
    """
    head = b""
    with suppress(OSError, ValueError):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                head = file.read(12)
    for start, kind in PICTURES:
        if re.match(start, head, re.DOTALL):
            raise InputError(
                f"{path} is a picture ({kind}), not a radar raster: it has grey levels or colours for viewing instead "
                "of backscatter.",
                "Give the GeoTIFF of VV and VH, in dB or power, from which it was made: in QGIS Export > Save As > Raw "
                "data, in Earth Engine export the image without visualize, in the Copernicus Browser download TIFF of "
                "32 bits of the bands VV and VH.",
            )


def refuse_colours(file: Any, path: str, chosen: Sequence[int]) -> None:
    """Refuse whole numbers that the file calls red, green or blue, without a scale that makes measurements of them.

    Args:
        file: Opened rasterio dataset.
        path: Its name.
        chosen: Band numbers from 1, chosen without names; 0 for a missing band.

    Raises:
        InputError: All chosen bands are such colours.
    """
    bands = [band for band in chosen if band]
    colours = [file.colorinterp[band - 1].name for band in bands if file.scales[band - 1] == 1]
    whole = all(re.match("u?int", file.dtypes[band - 1]) for band in bands)
    if bands and whole and len(colours) == len(bands) and set(colours) <= {"red", "green", "blue"}:
        raise InputError(
            f"This is a picture, not measurements: the first bands of {path} are its {' and '.join(colours)}.",
            "Give a raster of VV and VH in dB or power. If these are its bands all the same, name them VV and VH.",
        )


def product_inside(path: str) -> UnreadableError | None:
    """Return the refusal of a folder above products, or of a damaged zip; None for all else."""
    with suppress(OSError, ValueError):
        found = _products(Path(path)) if os.path.isdir(path) else None
        if path.lower().endswith(".zip") and os.path.isfile(path) and not zipfile.is_zipfile(path):
            found = DAMAGED_ZIP
        if found is not None:
            return UnreadableError(f"{path} is not a Sentinel-1 product: it is {found[0]}.", found[1])
    return None


def only_inside(file: Any, path: str) -> InputError:
    """Return the refusal of a file that has rasters inside and no bands: it names those of backscatter.

    Args:
        file: Opened rasterio dataset without bands.
        path: Its name.
    """
    inner = list(file.subdatasets)
    if not inner:
        return InputError(f"{path} has no bands.", "Give another file.")
    wanted = [name for name in inner if BACKSCATTER.search(_last(name)) and not BESIDE.search(_last(name))]
    wanted.sort(key=lambda name: BACKSCATTER.findall(_last(name))[0].upper(), reverse=True)  # VV before VH
    names = [_placed(name) for name in (wanted or inner)[:4]]
    if not wanted:
        shown = ", ".join(names) + ", …" * (len(inner) > len(names))
        return InputError(f"{path} holds {len(inner)} rasters: {shown}.", "Give the one with backscatter by this name.")
    together = f"'{names[0]}'" + "".join(f" --with '{name}'" for name in names[1:])
    return InputError(
        f"{path} holds several rasters, of backscatter: {', '.join(map(_last, names))}.",
        f"Name them: {together}. In QGIS drag the file onto the map, add these layers, and give one as SAR raster, the "
        "others as Further rasters of the scene.",
    )


def _last(name: str) -> str:
    return re.split(r"[/:]", name)[-1]


def _placed(name: str) -> str:
    """Return the name by which GDAL finds the place too: its HDF5 driver knows none, its netCDF driver does."""
    found = re.fullmatch(r'HDF5:"?(.+?)"?://?(.+)', name)
    if found is None:
        return name
    other = f'NETCDF:"{found[1]}":/{found[2].lstrip("/")}'
    with suppress(*RASTER_ERRORS), rasterio.open(other) as file:
        if file.crs is not None:
            return other
    return name


def _folder(path: Path) -> tuple[str, str] | None:
    if (path / MANIFEST).is_file():
        return (
            "a Sentinel-1 product",
            "Calibrate it first: `python -m backend calibrate`, in QGIS Calibrate Sentinel-1 GRD.",
        )
    if path.suffix.lower() == ".safe":
        return f"a Sentinel-1 product without its {MANIFEST}", "Unpack it again, whole, or give the zip."
    products = _products(path)
    if products is not None:
        return products
    rasters = _some(path, [f"*{ending}" for ending in (*IMAGES, ".dim")])
    if len(rasters) == 1:
        return f"a folder that holds a raster, {rasters[0].name}", f"Give {rasters[0]}."
    if rasters:
        names = ", ".join(each.name for each in rasters[:3])
        return (
            f"a folder with {len(rasters)} rasters ({names}{', …' * (len(rasters) > 3)})",
            f"Give one, or all files of one scene: '{rasters[0]}' --with '{rasters[1]}', in QGIS as Further rasters of "
            "the scene.",
        )
    return "a folder without rasters", HINT


def _products(path: Path) -> tuple[str, str] | None:
    found = [each.parent for each in _some(path, (f"*/{MANIFEST}", f"*/*/{MANIFEST}"))]
    found += _some(path, ("S1*.zip", "*.SAFE.zip"))
    if len(found) == 1:
        return f"a folder that holds a Sentinel-1 product, {found[0].name}", f"Give {found[0]}."
    if found:
        return f"a folder with {len(found)} Sentinel-1 products", f"Give one of them, such as {found[0]}."
    return None


def _some(path: Path, patterns: Iterable[str]) -> list[Path]:
    return sorted({found for pattern in patterns for found in path.glob(pattern)})


def _file(path: Path) -> tuple[str, str] | None:
    name, ending = path.name.lower(), path.suffix.lower()
    if not path.is_file():
        return None
    if path.stat().st_size == 0:
        return "an empty file", AGAIN
    with open(path, "rb") as file:
        head = file.read(64)
    if head.startswith((b"PK\3\4", b"PK\5\6")) or ending == ".zip":
        return _archive(path, ending)
    for start, what, advice in HEADS:
        if head.lstrip().lower().startswith(start.lower()):
            return what, advice
    for sidecar in SIDECARS:
        owner = _owner(path, sidecar) if name.endswith(sidecar) else None
        if owner is not None:
            return f"a file that goes with {owner.name}", f"Give {owner}."
    if name == MANIFEST:
        return "the manifest of a Sentinel-1 product", CALIBRATE
    return KINDS.get(ending)


def _owner(path: Path, sidecar: str) -> Path | None:
    """Return the raster that a sidecar is of: a.tif of a.tif.aux.xml, a.img of a.hdr."""
    stem = path.with_name(path.name[: -len(sidecar)])
    owners = [stem.with_name(stem.name + ending) for ending in ("", *IMAGES, ".dat", ".bil", ".bsq")]
    return next((owner for owner in owners if owner.is_file() and owner != path), None)


def _archive(path: Path, ending: str) -> tuple[str, str]:
    if ending == ".kmz":
        return KINDS[ending]
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError):
        return DAMAGED_ZIP
    if any(name.endswith(MANIFEST) for name in names):
        return (
            "a zip with Sentinel-1 products in it",
            "Unpack it and give one of them: its zip, its .SAFE or manifest.safe.",
        )
    rasters = [name for name in names if name.lower().endswith(IMAGES)]
    if not rasters:
        return "a zip without rasters", HINT
    inside = f"/vsizip/{{{path.resolve().as_posix()}}}/{rasters[0]}"
    return f"a zip that holds {', '.join(rasters[:3])}{', …' * (len(rasters) > 3)}", f"Unpack it, or give {inside}."
