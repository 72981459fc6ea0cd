"""Rasters in radar geometry: places of pixels on a curved surface, and GeoTIFFs with tie points as SNAP writes them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

DIMAP = (
    b"<Dimap_Document><Spectral_Band_Info><BAND_NAME>Gamma0_VV</BAND_NAME><NO_DATA_VALUE_USED>true"
    b"</NO_DATA_VALUE_USED><NO_DATA_VALUE>0.0</NO_DATA_VALUE></Spectral_Band_Info></Dimap_Document>\0"
)
FORMATS = {2: "s", 3: "H", 4: "I", 12: "d"}


def places(rows, columns, height: int, width: int, km: float = 250.0):
    """Longitude and latitude of image positions: turned by 10 degrees, and bent by a fiftieth of the width."""
    u, v = np.asarray(columns) / width, np.asarray(rows) / height
    east, north = km * (u + 0.08 * u * (1 - u)) + 0.1 * km * v, -0.7 * km * v - 0.15 * km * u + 0.02 * km * u * (1 - u)
    return 10 + east / 78.7, 45 + north / 111.3


def grid(height: int, width: int, down: int, across: int, km: float = 250.0):
    """Tie points (row, column, longitude, latitude) at centres of pixels from corner to corner."""
    rows, columns = np.meshgrid(
        np.linspace(0.5, height - 0.5, down), np.linspace(0.5, width - 0.5, across), indexing="ij"
    )
    x, y = places(rows, columns, height, width, km)
    return list(zip(*(each.ravel().tolist() for each in (rows, columns, x, y))))


def write_snap(path: Path, values, points, epsg: int = 4326) -> Path:
    """A big-endian TIFF of one strip with tie points and a pixel size that disagree: GDAL shows corners, or a grid."""
    count, height, width = values.shape
    data = np.moveaxis(values, 0, -1).astype(">f4").tobytes()
    ties = [number for row, column, x, y in points for number in (column, row, 0.0, x, y, 0.0)]
    keys = [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, epsg]
    tags = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [32] * count), (259, 3, [1]), (262, 3, [1]), (273, 4, [0]),
        (277, 3, [count]), (278, 4, [height]), (279, 4, [len(data)]), (284, 3, [1]), (339, 3, [3] * count),
        (33550, 12, [1e-4, 1e-4, 0.0]), (33922, 12, ties), (34735, 3, keys), (65000, 2, [DIMAP]),
    ]  # fmt: skip
    packed = [(tag, kind, _packed(kind, items)) for tag, kind, items in tags]
    place = 8 + 2 + 12 * len(tags) + 4
    strip = place + sum(len(raw) + len(raw) % 2 for _, _, raw in packed if len(raw) > 4)
    entries = blobs = b""
    for tag, kind, raw in packed:
        if tag == 273:
            raw = struct.pack(">I", strip)
        length = len(raw) // struct.calcsize(f">1{FORMATS[kind]}")
        entries += struct.pack(">HHI", tag, kind, length)
        entries += raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(">I", place + len(blobs))
        blobs += raw + b"\0" * (len(raw) % 2) if len(raw) > 4 else b""
    head = b"MM" + struct.pack(">HIH", 42, 8, len(tags))
    path.write_bytes(head + entries + struct.pack(">I", 0) + blobs + data)
    return path


def _packed(kind: int, items) -> bytes:
    return items[0] if kind == 2 else struct.pack(f">{len(items)}{FORMATS[kind]}", *items)
