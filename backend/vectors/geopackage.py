"""Write polygons as a GeoPackage 1.3 (OGC 12-128r18), with nothing but the standard library's SQLite.

rasterio writes no vectors, and a library that does would be the largest part of the installation.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.crs import CRS

from backend.vectors.polygon_columns import Column
from backend.vectors.rings import Polygon

APPLICATION_ID, USER_VERSION = 0x47504B47, 10300
# Numbers of coordinate systems (clause 1.1.2): unknown Cartesian, and the first that is free for own ones.
UNKNOWN, OWN = -1, 100000
LITTLE_ENDIAN, ENVELOPE_XY = 1, 1 << 1  # bits of the flags of a geometry's header (clause 2.1.3)
WKB_POLYGON = 3
RESERVED = ("gpkg_", "rtree_", "sqlite_", "layer_styles")
GEOMETRY = "geom"

_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
    geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
    CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
    CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
    definition TEXT NOT NULL, scope TEXT NOT NULL,
    CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, f_table_schema TEXT,
    f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,
    description TEXT, owner TEXT, ui TEXT, update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
"""
# Clause F.3 of the standard: they keep the index up to date when another program edits the layer.
_NOT_EMPTY = "NEW.{g} NOT NULL AND NOT ST_IsEmpty(NEW.{g})"
_BOX = "(NEW.fid, ST_MinX(NEW.{g}), ST_MaxX(NEW.{g}), ST_MinY(NEW.{g}), ST_MaxY(NEW.{g}))"
_EMPTY = "(NEW.{g} IS NULL OR ST_IsEmpty(NEW.{g}))"
_TRIGGERS = {
    "insert": f"AFTER INSERT ON {{t}} WHEN ({_NOT_EMPTY}) BEGIN INSERT OR REPLACE INTO {{r}} VALUES {_BOX}; END",
    "update1": (
        f"AFTER UPDATE OF {{g}} ON {{t}} WHEN OLD.fid = NEW.fid AND ({_NOT_EMPTY}) "
        f"BEGIN INSERT OR REPLACE INTO {{r}} VALUES {_BOX}; END"
    ),
    "update2": (
        f"AFTER UPDATE OF {{g}} ON {{t}} WHEN OLD.fid = NEW.fid AND {_EMPTY} BEGIN DELETE FROM {{r}} "  # nosec B608
        "WHERE id = OLD.fid; END"
    ),
    "update3": (
        f"AFTER UPDATE ON {{t}} WHEN OLD.fid != NEW.fid AND ({_NOT_EMPTY}) BEGIN DELETE FROM {{r}} WHERE id = OLD.fid; "  # nosec B608
        f"INSERT OR REPLACE INTO {{r}} VALUES {_BOX}; END"
    ),
    "update4": (
        f"AFTER UPDATE ON {{t}} WHEN OLD.fid != NEW.fid AND {_EMPTY} BEGIN DELETE FROM {{r}} "  # nosec B608
        "WHERE id IN (OLD.fid, NEW.fid); END"
    ),
    "delete": "AFTER DELETE ON {t} WHEN OLD.{g} NOT NULL BEGIN DELETE FROM {r} WHERE id = OLD.fid; END",
}


class GeoPackage:
    """Write a GeoPackage with one layer of polygons; a context manager, `finish` makes the file complete.

    Args:
        path: File to make.
        layer: Name of the layer.
        crs: None if unknown.
        columns: Fields of the layer.

    Raises:
        sqlite3.Error: It can't be written.
    """

    def __init__(self, path: Path, layer: str, crs: CRS | None, columns: Sequence[Column]) -> None:
        self._layer, self._columns = layer_name(layer), columns
        self._table = quoted(self._layer)
        self._tree = quoted(f"rtree_{self._layer}_{GEOMETRY}")
        self._bounds: list[float] = []
        self._count = 0
        self._database = sqlite3.connect(path, isolation_level=None)
        try:
            # The file has a temporary name, and is given up if writing fails: no journal file is needed.
            for text in ("journal_mode = OFF", "synchronous = OFF", f"application_id = {APPLICATION_ID}"):
                self._database.execute(f"PRAGMA {text}")
            self._database.execute(f"PRAGMA user_version = {USER_VERSION}")
            self._database.executescript(_TABLES)
            self._database.execute("BEGIN")
            self._srs = self._add_crs(crs)
            self._make_layer()
        except BaseException:
            self._database.close()
            raise

    def _add_crs(self, crs: CRS | None) -> int:
        rows: list[tuple[Any, ...]] = [
            ("Undefined Cartesian SRS", UNKNOWN, "NONE", UNKNOWN, "undefined", "undefined Cartesian coordinates"),
            ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinates"),
            ("WGS 84", 4326, "EPSG", 4326, CRS.from_epsg(4326).to_wkt(), "longitude and latitude on WGS 84"),
        ]
        number = UNKNOWN
        if crs is not None:
            code = crs.to_epsg()
            number = code or OWN
            if number != 4326:
                organization = ("EPSG", code) if code else ("NONE", OWN)
                rows.append((f"EPSG:{code}" if code else "of the map", number, *organization, crs.to_wkt(), None))
        self._database.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", rows)
        return number

    def _make_layer(self) -> None:
        fields = ", ".join(f"{quoted(column.name)} {column.sql}" for column in self._columns)
        self._database.execute(
            f"CREATE TABLE {self._table} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {GEOMETRY} POLYGON, {fields})"
        )
        self._database.execute(f"CREATE VIRTUAL TABLE {self._tree} USING rtree(id, minx, maxx, miny, maxy)")
        marks = ", ".join("?" * (len(self._columns) + 2))
        self._insert = f"INSERT INTO {self._table} VALUES ({marks})"  # nosec B608: the name is quoted

    def add(self, features: Iterable[tuple[Polygon, Sequence[Any]]]) -> None:
        """Add polygons with the values of their fields. Raise sqlite3.Error."""
        rows, boxes = [], []
        for polygon, values in features:
            self._count += 1
            box = polygon.bounds()
            rows.append((self._count, self._geometry(polygon, box), *values))
            boxes.append((self._count, box[0], box[2], box[1], box[3]))
        if rows:
            self._database.executemany(self._insert, rows)
            insert = f"INSERT INTO {self._tree} VALUES (?, ?, ?, ?, ?)"  # nosec B608: the name is quoted
            self._database.executemany(insert, boxes)
            table = np.array(boxes)
            low, high = table[:, [1, 3]].min(axis=0), table[:, [2, 4]].max(axis=0)
            before = self._bounds or [*low, *high]
            self._bounds = [*np.minimum(before[:2], low).tolist(), *np.maximum(before[2:], high).tolist()]

    def _geometry(self, polygon: Polygon, box: tuple[float, float, float, float]) -> bytes:
        header = b"GP" + struct.pack(
            "<BBi4d", 0, LITTLE_ENDIAN | ENVELOPE_XY, self._srs, box[0], box[2], box[1], box[3]
        )
        parts = [header, struct.pack("<BII", 1, WKB_POLYGON, len(polygon.rings))]
        for ring in polygon.rings:
            parts += [struct.pack("<I", len(ring)), ring.astype("<f8").tobytes()]
        return b"".join(parts)

    def finish(self, style: str, description: str) -> None:
        """Write the tables of contents and the style of the layer. Raise sqlite3.Error."""
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        insert = self._database.execute
        box: list[float | None] = [*self._bounds] or [None] * 4
        insert(
            "INSERT INTO gpkg_contents VALUES (?, 'features', ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._layer, self._layer, description, now, *box, self._srs),
        )
        insert(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', ?)",
            (now,),
        )
        insert(
            "INSERT INTO gpkg_geometry_columns VALUES (?, ?, 'POLYGON', ?, 0, 0)", (self._layer, GEOMETRY, self._srs)
        )
        insert(
            "INSERT INTO gpkg_extensions VALUES (?, ?, 'gpkg_rtree_index', "
            "'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
            (self._layer, GEOMETRY),
        )
        insert(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
            "styleQML, useAsDefault, description) VALUES ('', '', ?, ?, 'classes', ?, 1, 'classes of the map')",
            (self._layer, GEOMETRY, style),
        )
        for name, text in _TRIGGERS.items():
            trigger = quoted(f"rtree_{self._layer}_{GEOMETRY}_{name}")
            insert(f"CREATE TRIGGER {trigger} " + text.format(t=self._table, r=self._tree, g=GEOMETRY))
        insert("COMMIT")

    def __enter__(self) -> GeoPackage:
        return self

    def __exit__(self, *error: Any) -> None:
        self._database.close()


def layer_name(text: str) -> str:
    """Return a text as the name of a layer; names that a GeoPackage has for itself become "polygons"."""
    return "polygons" if text.lower().startswith(RESERVED) else text


def quoted(name: str) -> str:
    """Return a name as SQL."""
    return '"' + name.replace('"', '""') + '"'
