"""Stack several files of one scene, such as polarisations or seasons, as bands of a virtual raster."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # nosec B405: nothing is parsed here, only written

from rasterio.enums import ColorInterp, MaskFlags

from backend.core.errors import InputError
from backend.raster.band_labels import FILE_NAMES, NAMED_BY, dated, label_bands

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


def virtual_raster(files: Sequence[Any]) -> str:
    """Return GDAL's XML of a virtual raster with the bands of all files, without alpha bands.

    Args:
        files: Opened rasterio datasets.

    Raises:
        InputError: Their grids differ, or one has a mask instead of a nodata value.
    """
    first = files[0]
    for file in files:
        _check(first, file)
    root = _root(first)
    if first.crs is not None:
        ElementTree.SubElement(root, "SRS").text = first.crs.to_wkt()
    if not first.transform.is_identity:
        ElementTree.SubElement(root, "GeoTransform").text = ",".join(map(repr, first.transform.to_gdal()))
    return _with_bands(root, files)


def across_antimeridian(file: Any) -> str:
    """Return GDAL's XML of a raster with ground control points on both sides of 180°, longitudes made 0° to 360°.

    Args:
        file: Opened rasterio dataset with ground control points in degrees.

    Raises:
        InputError: The file has a mask instead of a nodata value.
    """
    points, crs = file.gcps
    _check_mask(file)
    root = _root(file)
    collection = ElementTree.SubElement(root, "GCPList", Projection=crs.to_wkt())
    for number, point in enumerate(points):
        place = {"Pixel": point.col, "Line": point.row, "X": point.x % 360, "Y": point.y, "Z": point.z or 0.0}
        texts = {key: repr(float(value)) for key, value in place.items()}
        ElementTree.SubElement(collection, "GCP", {"Id": str(number), **texts})
    return _with_bands(root, [file])


def _root(file: Any) -> ElementTree.Element:
    return ElementTree.Element("VRTDataset", rasterXSize=str(file.width), rasterYSize=str(file.height))


def _with_bands(root: ElementTree.Element, files: Sequence[Any]) -> str:
    for file in files:
        usable = [number for number, kind in zip(file.indexes, file.colorinterp) if kind != ColorInterp.alpha]
        labels = label_bands(file, usable)
        for number in usable:
            text, where = labels.texts[number - 1], labels.where[number - 1]
            _add_band(root, file, number, dated(text, file) if len(files) > 1 else text)
            if where == FILE_NAMES:
                metadata = ElementTree.SubElement(root[-1], "Metadata")
                ElementTree.SubElement(metadata, "MDI", key=NAMED_BY).text = where
    return ElementTree.tostring(root, encoding="unicode")


def _add_band(root: ElementTree.Element, file: Any, number: int, text: str) -> None:
    index = number - 1
    position = str(len(root.findall("VRTRasterBand")) + 1)
    band = ElementTree.SubElement(root, "VRTRasterBand", dataType=TYPES[file.dtypes[index]], band=position)
    ElementTree.SubElement(band, "Description").text = text
    if file.nodatavals[index] is not None:
        ElementTree.SubElement(band, "NoDataValue").text = repr(file.nodatavals[index])
    ElementTree.SubElement(band, "Scale").text = repr(file.scales[index])
    ElementTree.SubElement(band, "Offset").text = repr(file.offsets[index])
    source = ElementTree.SubElement(band, "SimpleSource")
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT="0").text = _absolute(file.name)
    ElementTree.SubElement(source, "SourceBand").text = str(number)


def _check(first: Any, file: Any) -> None:
    if file.gcps[0] and file.transform.is_identity:
        raise InputError(f"{file.name} has only ground control points and can't be joined with other files.", HINT)
    _check_mask(file)
    shift = [abs(a - b) for a, b in zip(~first.transform * (file.transform.c, file.transform.f), (0, 0))]
    corner = ~first.transform * (file.transform * (file.width, file.height))
    shift += [abs(a - b) for a, b in zip(corner, (first.width, first.height))]
    if (file.width, file.height) != (first.width, first.height) or max(shift) > SAME:
        raise InputError(
            f"{file.name} ({file.width} x {file.height} pixels) is not on the grid of {first.name} "
            f"({first.width} x {first.height} pixels).",
            HINT,
        )
    if file.crs != first.crs:
        raise InputError(f"{file.name} and {first.name} have different coordinate systems.", HINT)


def _check_mask(file: Any) -> None:
    if any(MaskFlags.per_dataset in flags for flags in file.mask_flag_enums):
        raise InputError(
            f"{file.name} has a mask or an alpha band, which a virtual raster can't keep.",
            "Mark its invalid pixels by a nodata value instead (in QGIS: Translate, with a nodata value).",
        )


def _absolute(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else name
