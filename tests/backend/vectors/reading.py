"""Read a GeoPackage of polygons with SQLite alone, and GeoJSON, as plain values."""

import json
import sqlite3
import struct

import numpy as np


def read_package(path):
    """Return the features: properties and rings."""
    database = sqlite3.connect(path)
    (table, column) = database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchone()
    cursor = database.execute(f'SELECT * FROM "{table}"')
    names = [item[0] for item in cursor.description]
    rows = [dict(zip(names, row)) for row in cursor]
    database.close()
    return [(row, rings_of(row.pop(column))) for row in rows]


def rings_of(blob):
    assert blob[:2] == b"GP" and blob[3] == 3
    count = struct.unpack_from("<I", blob, 45)[0]
    at, rings = 49, []
    for _ in range(count):
        points = struct.unpack_from("<I", blob, at)[0]
        rings.append(np.frombuffer(blob, "<f8", 2 * points, at + 4).reshape(-1, 2))
        at += 4 + 16 * points
    assert at == len(blob)
    return rings


def read_geojson(path):
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return [(f["properties"], [np.array(ring) for ring in f["geometry"]["coordinates"]]) for f in features]


def signed_area(ring):
    x, y = ring.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def edges(rings, size=10):
    """The outline as steps from pixel corner to pixel corner, whatever the rings are called and where they begin."""
    found = set()
    for ring in rings:
        for (x, y), (u, v) in zip(ring[:-1], ring[1:]):
            steps = round(max(abs(u - x), abs(v - y)) / size)
            points = [(round(x + (u - x) * i / steps, 3), round(y + (v - y) * i / steps, 3)) for i in range(steps + 1)]
            found |= {frozenset(pair) for pair in zip(points[:-1], points[1:])}
    return frozenset(found)
