"""Write the polygons of a map as GeoPackage or GeoJSON, under a temporary name until they are complete."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Union, cast

from rasterio.crs import CRS

from backend.core.atomic_files import parts_of, placed_together, refusing, sync_folder
from backend.core.cancel import Cancel
from backend.core.errors import InputError
from backend.output.names import check_sidecars, sidecar
from backend.vectors.geojson_file import GeoJsonFile
from backend.vectors.geopackage import GeoPackage
from backend.vectors.polygon_columns import Column

GEOPACKAGE, GEOJSON = frozenset((".gpkg",)), frozenset((".geojson", ".json"))
# Files in which a program that holds a GeoPackage open keeps changes.
JOURNALS = ("-wal", "-journal")

PolygonFile = Union[GeoPackage, GeoJsonFile]


def check_polygon_output(path: Path, source: str, crs: CRS | None, overwrite: bool) -> None:
    """Refuse the name of an output that can't become a file of polygons.

    Raises:
        InputError: Another ending, a style that belongs to another file, a GeoPackage that is in use, or GeoJSON for a
            map without a coordinate system.
    """
    ending = path.suffix.lower()
    if ending not in GEOPACKAGE | GEOJSON:
        raise InputError(
            f"The output {path} ends in {path.suffix or 'nothing'}; what is written is a GeoPackage or GeoJSON.",
            "Give a name that ends in .gpkg or .geojson.",
        )
    if ending in GEOPACKAGE:
        held = [path.name + ending for ending in JOURNALS if path.with_name(path.name + ending).exists()]
        if held:
            raise InputError(
                f"The output {path} is in use: {held[0]} exists.",
                "Remove the layer from QGIS, or choose another name.",
            )
        return
    if crs is None:
        raise InputError(
            f"{source} has no coordinate system, and coordinates in GeoJSON are degrees unless one is named.",
            "Give a name that ends in .gpkg, or assign a coordinate system to the map.",
        )
    check_sidecars(path, overwrite)
    style = sidecar(path, ".qml")
    if style == sidecar(Path(source), ".qml"):
        raise InputError(
            f"The output {path} would share one style, {style.name}, with the map.",
            "Choose a name that differs from the map's before the last dot.",
        )


@contextmanager
def polygon_file(
    path: Path, crs: CRS | None, columns: list[Column], style: str, cancel: Cancel
) -> Iterator[PolygonFile]:
    """Yield a file that takes polygons; it gets its name at the end of the block, with its style, if all went well.

    Args:
        path: Final name, as `check_polygon_output` allows it.
        crs: CRS of the coordinates.
        columns: Fields.
        style: QML: the default style in a GeoPackage, a separate file for GeoJSON.
        cancel: Also removes the unfinished file if the process is ended by force.

    Raises:
        ResourceError: The file can't be written.
    """
    package = path.suffix.lower() in GEOPACKAGE
    names = [path] if package else [sidecar(path, ".qml"), path]
    with ExitStack() as stack:
        stack.enter_context(refusing(path, sqlite3.Error))
        parts = stack.enter_context(parts_of(names, path, cancel))
        target = parts[-1].temporary
        file: PolygonFile
        if package:
            file = GeoPackage(target, path.stem, crs, columns)
        else:
            file = GeoJsonFile(target, cast(CRS, crs), columns)
        with file:
            yield file
            file.finish(style, "Polygons of a class map, made by SAR Land Cover (DINO)")
        parts[-1].sync()
        if not package:
            parts[0].write(style.encode())
        cancel.check()
        with cancel.shielded(), placed_together(parts):
            for part in parts:
                part.place()
        sync_folder(path.parent)
