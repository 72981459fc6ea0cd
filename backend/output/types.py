"""Refuse names of outputs that promise a format which is not the one written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import rasterio
from rasterio.drivers import raster_driver_extensions

from backend.core.errors import InputError

GEOTIFF = frozenset((".tif", ".tiff", ".gtif", ".gtiff", ".geotif", ".geotiff", ".btf", ".tf8"))
# Endings that users may expect to give another format; GDAL's own are added where a raster is written.
FOREIGN = {
    ".gpkg": "GeoPackage", ".img": "Erdas Imagine", ".vrt": "a virtual raster", ".png": "PNG", ".jpg": "JPEG",
    ".jpeg": "JPEG", ".jp2": "JPEG 2000", ".j2k": "JPEG 2000", ".nc": "netCDF", ".nc4": "netCDF", ".h5": "HDF5",
    ".hdf5": "HDF5", ".hdf": "HDF", ".zarr": "Zarr", ".hdr": "ENVI", ".dat": "ENVI", ".bsq": "ENVI", ".bil": "ENVI",
    ".bip": "ENVI", ".envi": "ENVI", ".bin": "raw binary", ".raw": "raw binary", ".dim": "BEAM-DIMAP",
    ".asc": "an ASCII grid", ".xyz": "text", ".txt": "text", ".csv": "CSV", ".tsv": "CSV", ".json": "JSON",
    ".geojson": "GeoJSON", ".xml": "XML", ".html": "HTML", ".htm": "HTML", ".md": "text", ".pdf": "PDF",
    ".docx": "Word", ".doc": "Word", ".odt": "OpenDocument", ".xlsx": "Excel", ".xls": "Excel", ".ods": "OpenDocument",
    ".shp": "Shapefile", ".dbf": "dBase", ".kml": "KML", ".kmz": "KML", ".gml": "GML", ".fgb": "FlatGeobuf",
    ".gdb": "File Geodatabase", ".sqlite": "SQLite", ".db": "SQLite", ".mbtiles": "MBTiles", ".pmtiles": "PMTiles",
    ".parquet": "Parquet", ".grd": "a grid", ".grib": "GRIB", ".grb": "GRIB", ".sdat": "SAGA", ".sgrd": "SAGA",
    ".rst": "Idrisi", ".ecw": "ECW", ".sid": "MrSID", ".gif": "GIF", ".bmp": "BMP", ".webp": "WebP", ".svg": "SVG",
    ".npy": "NumPy", ".npz": "NumPy", ".mat": "MATLAB", ".zip": "a zip", ".gz": "gzip", ".7z": "7-Zip", ".tar": "tar",
    ".qgz": "a QGIS project", ".qgs": "a QGIS project", ".lyr": "a layer file", ".safe": "a Sentinel-1 product",
    ".safetensors": "a model's weights", ".tfw": "a world file", ".ovr": "overviews", ".msk": "a mask",
    ".tif": "GeoTIFF", ".tiff": "GeoTIFF",
}  # fmt: skip
REPORTS = {
    "output": ("an HTML page", (".html", ".htm", ".xhtml")),
    "json": ("JSON", (".json", ".geojson", ".txt")),
    "csv": ("CSV", (".csv", ".txt", ".tsv")),
}
CONVERT = "Convert the map afterwards, for instance in QGIS with Raster > Conversion > Translate."


def check_raster_type(path: Path) -> None:
    """Refuse the name of a map that ends like another format than GeoTIFF; unknown endings are left alone.

    Raises:
        InputError: The name ends like another format.
    """
    suffix = path.suffix.lower()
    if suffix in GEOTIFF:
        return
    name = FOREIGN.get(suffix)
    if name is None and suffix[1:] in _gdals():
        name = "another type of raster"
    if name is not None:
        raise _refusal(path, name, "GeoTIFF", ".tif", CONVERT)


def type_notes(paths: Iterable[Path]) -> list[str]:
    """Return notes for the log about maps whose names don't end like GeoTIFFs."""
    return [
        f"{path} is a GeoTIFF, though it isn't called .tif." for path in paths if path.suffix.lower() not in GEOTIFF
    ]


def check_report_type(path: Path, role: str) -> None:
    """Refuse the name of a report that ends like another format; unknown endings are left alone.

    Args:
        path: Output.
        role: Role of the output: output (an HTML page), json or csv.

    Raises:
        InputError: The name ends like another format.
    """
    written, endings = REPORTS[role]
    suffix = path.suffix.lower()
    if suffix not in endings and suffix in FOREIGN:
        raise _refusal(path, FOREIGN[suffix], written, endings[0], "")


def _refusal(path: Path, name: str, written: str, ending: str, further: str) -> InputError:
    return InputError(
        f"The output {path} ends in {path.suffix}, which means {name}; what is written is {written}.",
        f"Give a name that ends in {ending}, such as {path.with_suffix(ending).name}. {further}".strip(),
    )


def _gdals() -> frozenset[str]:
    with rasterio.Env():
        return frozenset(extension.lower() for extension in raster_driver_extensions())
