"""Write points as GeoJSON in the coordinate system of their raster, and a QGIS style with a form for their classes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.warp import transform as transform_points

from backend.core.arrays import IntArray
from backend.core.atomic_files import refusing, write_files
from backend.core.cancel import Cancel
from backend.core.errors import InputError
from backend.design.spacing import LONGITUDE_LATITUDE, coordinates
from backend.output.names import sidecar
from backend.output.types import FOREIGN
from backend.raster.grid import Grid

ENDINGS = (".geojson", ".json")


def check_point_file(path: Path) -> None:
    """Refuse the name of a point layer that ends like another format; unknown endings are left alone.

    Raises:
        InputError: The name ends like another format.
    """
    suffix = path.suffix.lower()
    if suffix not in ENDINGS and suffix in {*FOREIGN, ".gpkg", ".shp", ".csv", ".kml", ".gml", ".qml", ".tif", ".tiff"}:
        raise InputError(
            f"The output {path} ends in {path.suffix}; what is written is GeoJSON.",
            f"Give a name that ends in .geojson, such as {path.with_suffix('.geojson').name}.",
        )


def outputs_of(path: Path) -> list[Path]:
    """Return all files that belong to a point layer: itself and its style."""
    return [path, sidecar(path, ".qml")]


def write_points(
    path: Path,
    grid: Grid,
    places: tuple[IntArray, IntArray],
    fields: Sequence[Mapping[str, Any]],
    style: str,
    cancel: Cancel,
) -> None:
    """Write a point at the centre of each pixel, and the style; both or none.

    Args:
        path: GeoJSON to write.
        grid: Pixels.
        places: Rows and columns, [n] each.
        fields: Properties of each point.
        style: Text of the .qml.
        cancel: Stops before anything has its name.

    Raises:
        ResourceError: Writing fails; then no file is left, and older ones are as they were.
    """
    x, y = coordinates(grid, *places)
    code = _code(grid.crs)
    if grid.crs is not None and code is None:
        # RFC 7946: longitude and latitude, for a coordinate system that has no short name.
        x, y = transform_points(grid.crs, LONGITUDE_LATITUDE, x.tolist(), y.tolist())
    crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{code}"}}
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": dict(each),
                "geometry": {"type": "Point", "coordinates": [float(one), float(other)]},
            }
        )
        for each, one, other in zip(fields, x, y)
    ]
    head = {"type": "FeatureCollection", "name": path.stem, **({"crs": crs} if code else {})}
    text = json.dumps(head)[:-1] + ', "features": [\n' + ",\n".join(lines) + "\n]}\n"
    with refusing(path):
        write_files(dict(zip(outputs_of(path), (text.encode(), style.encode()))), cancel)


def _code(crs: CRS | None) -> int | None:
    """Return the EPSG code of a projected coordinate system that is exactly that of the code; else None."""
    if crs is None or not crs.is_projected:
        return None
    try:
        code = crs.to_epsg()
        return code if code and CRS.from_epsg(code) == crs else None
    except CRSError:
        return None
