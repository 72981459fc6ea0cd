"""Write features as GeoJSON, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rasterio.crs import CRS

from backend.vectors.polygon_columns import Column
from backend.vectors.rings import Polygon


def crs_member(crs: CRS) -> dict[str, Any]:
    """Return the member by which GDAL and QGIS know the coordinate system of GeoJSON that isn't in degrees."""
    code = crs.to_epsg()
    name = f"urn:ogc:def:crs:EPSG::{code}" if code else crs.to_wkt()
    return {"type": "name", "properties": {"name": name}}


class GeoJsonFile:
    """Write a file of polygons; a context manager, `finish` makes the file complete.

    Args:
        path: File to make.
        crs: CRS of the coordinates.
        columns: Properties of the features.

    Raises:
        OSError: It can't be written.
    """

    def __init__(self, path: Path, crs: CRS, columns: Sequence[Column]) -> None:
        self._columns, self._count = columns, 0
        self._file = path.open("x", encoding="utf-8")
        self._file.write('{"type": "FeatureCollection", "crs": ' + json.dumps(crs_member(crs)) + ', "features": [')

    def add(self, features: Iterable[tuple[Polygon, Sequence[Any]]]) -> None:
        """Add polygons with the values of their properties. Raise OSError."""
        for polygon, values in features:
            properties = dict(zip((column.name for column in self._columns), values))
            rings = [ring.tolist() for ring in polygon.rings]
            self._write({"type": "Polygon", "coordinates": rings}, properties)

    def _write(self, geometry: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
        feature = {"type": "Feature", "properties": properties, "geometry": geometry}
        self._file.write((",\n" if self._count else "\n") + json.dumps(feature, ensure_ascii=False, allow_nan=False))
        self._count += 1

    def finish(self, style: str, description: str) -> None:
        """Write the end of the file; style and description have no place in it. Raise OSError."""
        self._file.write("\n]}\n")
        self._file.flush()

    def __enter__(self) -> GeoJsonFile:
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.close()
