"""Stack several files of one scene, such as polarisations or seasons, as bands of a virtual raster."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # nosec B405: nothing is parsed here, only written

from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags

from backend.core.errors import InputError
from backend.raster.band_labels import FILE_NAMES, NAMED_BY, Labels, dated, label_bands
from backend.raster.mosaic import Mosaic, tiles

# Fraction of a pixel by which origins on one grid may differ.
SAME = 1e-3
# GDAL's names of data types.
TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32", "int32": "Int32",
    "uint64": "UInt64", "int64": "Int64", "float32": "Float32", "float64": "Float64",
    "complex_int16": "CInt16", "complex64": "CFloat32", "complex128": "CFloat64",
}  # fmt: skip
HINT = "Bring all files to one grid (in QGIS: Raster > Align Rasters, or Warp), then run again."


def scene_files(source: str, further: Sequence[str] = ()) -> list[str]:
    """Return the files of a scene in the order of their bands.

    Args:
        source: A file, or a pattern with * or ?, which means all files that match, in the order of their names.
        further: More files or patterns.

    Raises:
        InputError: No file matches a pattern, or a file is named twice.
    """
    files: list[str] = []
    for name in (source, *further):
        if glob.has_magic(name) and not Path(name).exists() and "://" not in name and not name.startswith("/vsi"):
            found = sorted(glob.glob(name))
            if not found:
                raise InputError(f"No file matches the pattern {name}.", "Check the folder and the pattern.")
            files += found
        else:
            files.append(name)
    twice = next((name for name in files if files.count(name) > 1), None)
    if twice:
        raise InputError(f"{twice} is named twice among the files of one scene.", "Name each file once.")
    return files


def virtual_raster(files: Sequence[Any]) -> tuple[str, list[tuple[str, str]]]:
    """Return GDAL's XML of a virtual raster with the bands of all files, without alpha bands.

    Tiles of one raster are put together. Files of one grid are stacked.

    Args:
        files: Opened rasterio datasets.

    Returns:
        The XML, and (level, message) pairs for the log.

    Raises:
        InputError: Their grids differ and they are no tiles, or one has a mask instead of a nodata value.
    """
    first = files[0]
    for file in files:
        _check_kind(file)
    groups = [[file] for file in files] if all(_same_grid(first, file) for file in files) else tiles(files)
    whole = [Mosaic(group) for group in groups]
    for each in whole:
        _check_grid(whole[0], each)
    root = _root(whole[0])
    if first.crs is not None:
        ElementTree.SubElement(root, "SRS").text = first.crs.to_wkt()
    if not whole[0].transform.is_identity:
        ElementTree.SubElement(root, "GeoTransform").text = ",".join(map(repr, whole[0].transform.to_gdal()))
    for each in whole:
        labels = _labels(each.first)
        for number, text, where in zip(each.first.indexes, labels.texts, labels.where):
            if each.first.colorinterp[number - 1] != ColorInterp.alpha:
                _add_mosaic(root, each, number, (dated(text, each.first) if len(whole) > 1 else text, where))
    return ElementTree.tostring(root, encoding="unicode"), [note for each in whole for note in each.notes()]


def with_points(file: Any, points: Sequence[GroundControlPoint], crs: CRS | None) -> str:
    """Return GDAL's XML of a raster with other ground control points, and no transform.

    Args:
        file: Opened rasterio dataset.
        points: Ground control points.
        crs: Theirs, if known.

    Raises:
        InputError: The file has a mask instead of a nodata value.
    """
    if ColorInterp.alpha not in file.colorinterp:
        _check_mask(file)
    root = _root(file)
    collection = ElementTree.SubElement(root, "GCPList", Projection=crs.to_wkt() if crs is not None else "")
    for number, point in enumerate(points):
        place = {"Pixel": point.col, "Line": point.row, "X": point.x, "Y": point.y, "Z": point.z or 0.0}
        texts = {key: repr(float(value)) for key, value in place.items()}
        ElementTree.SubElement(collection, "GCP", {"Id": str(number), **texts})
    labels = _labels(file)
    for number, label in zip(file.indexes, zip(labels.texts, labels.where)):
        _add_source(_add_band(root, file, number, label), file, number)
    return ElementTree.tostring(root, encoding="unicode")


def _root(file: Any) -> ElementTree.Element:
    return ElementTree.Element("VRTDataset", rasterXSize=str(file.width), rasterYSize=str(file.height))


def _labels(file: Any) -> Labels:
    return label_bands(file, [band for band, kind in zip(file.indexes, file.colorinterp) if kind != ColorInterp.alpha])


def _add_band(root: ElementTree.Element, file: Any, number: int, label: tuple[str, str]) -> ElementTree.Element:
    """Add a band with all but its sources; the label is its name and where that was found."""
    index = number - 1
    position = str(len(root.findall("VRTRasterBand")) + 1)
    band = ElementTree.SubElement(root, "VRTRasterBand", dataType=TYPES[file.dtypes[index]], band=position)
    text, where = label
    if where == FILE_NAMES:
        metadata = ElementTree.SubElement(band, "Metadata")
        ElementTree.SubElement(metadata, "MDI", key=NAMED_BY).text = where
    ElementTree.SubElement(band, "Description").text = text
    if file.colorinterp[index] == ColorInterp.alpha:
        ElementTree.SubElement(band, "ColorInterp").text = "Alpha"
    if file.nodatavals[index] is not None:
        ElementTree.SubElement(band, "NoDataValue").text = repr(file.nodatavals[index])
    ElementTree.SubElement(band, "Scale").text = repr(file.scales[index])
    ElementTree.SubElement(band, "Offset").text = repr(file.offsets[index])
    return band


def _add_source(band: ElementTree.Element, file: Any, number: int, kind: str = "SimpleSource") -> ElementTree.Element:
    source = ElementTree.SubElement(band, kind)
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT="0").text = _absolute(file.name)
    ElementTree.SubElement(source, "SourceBand").text = str(number)
    return source


def _add_mosaic(root: ElementTree.Element, mosaic: Mosaic, number: int, label: tuple[str, str]) -> None:
    """Add a band made of one file, or of tiles, of which later ones cover earlier ones where they have data."""
    first, index = mosaic.first, number - 1
    band = _add_band(root, first, number, label)
    if len(mosaic.files) == 1:
        _add_source(band, first, number)
        return
    nodata = mosaic.nodata[index]
    if nodata is None and first.dtypes[index].startswith("float"):
        nodata = float("nan")
    if nodata is not None and first.nodatavals[index] is None:
        ElementTree.SubElement(band, "NoDataValue").text = repr(nodata)
    for file, (row, column) in zip(mosaic.files, mosaic.corners):
        own = file.nodatavals[index] if file.nodatavals[index] is not None else nodata
        source = _add_source(band, file, number, "SimpleSource" if own is None else "ComplexSource")
        for name, x, y in (("SrcRect", 0, 0), ("DstRect", column, row)):
            sides = {"xOff": x, "yOff": y, "xSize": file.width, "ySize": file.height}
            ElementTree.SubElement(source, name, {key: str(side) for key, side in sides.items()})
        if own is not None:
            ElementTree.SubElement(source, "NODATA").text = repr(own)


def _check_kind(file: Any) -> None:
    if file.gcps[0] and file.transform.is_identity:
        raise InputError(f"{file.name} has only ground control points and can't be joined with other files.", HINT)
    _check_mask(file)


def _same_grid(first: Any, file: Any) -> bool:
    if (file.width, file.height) != (first.width, first.height) or file.crs != first.crs:
        return False
    shift = [abs(a - b) for a, b in zip(~first.transform * (file.transform.c, file.transform.f), (0, 0))]
    corner = ~first.transform * (file.transform * (file.width, file.height))
    return bool(max(shift + [abs(a - b) for a, b in zip(corner, (first.width, first.height))]) <= SAME)


def _check_grid(first: Mosaic, other: Mosaic) -> None:
    if other.crs != first.crs:
        raise InputError(f"{other.name} and {first.name} have different coordinate systems.", HINT)
    if not _same_grid(first, other):
        raise InputError(
            f"{other.name} ({other.width} x {other.height} pixels) is not on the grid of {first.name} "
            f"({first.width} x {first.height} pixels).",
            HINT,
        )


def _check_mask(file: Any) -> None:
    if any(MaskFlags.per_dataset in flags for flags in file.mask_flag_enums):
        raise InputError(
            f"{file.name} has a mask or an alpha band, which a virtual raster can't keep.",
            "Mark its invalid pixels by a nodata value instead (in QGIS: Translate, with a nodata value).",
        )


def _absolute(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else name
