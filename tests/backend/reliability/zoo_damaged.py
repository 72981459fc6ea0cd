"""Files that are damaged, have false metadata, or are no rasters."""

from __future__ import annotations

import gzip
import io
import os
import socket
import struct
import zipfile
from pathlib import Path

import numpy as np
from rasterio.shutil import copy

from tests.backend.reliability.zoo import Refused, Same, Specimen, plain, register, scene, specimen, write

NO_RASTER = Refused("is not a raster")
DAMAGED = Refused("is not a raster|truncated or damaged|no valid pixel")


def named(folder: Path, content: bytes, name: str = "scene.tif") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _cut(share: float, more: int, driver: str):
    def make(folder: Path) -> Specimen:
        path = write(folder / "whole.tif", scene(200, 200), compress="deflate")
        copy(path, folder / "scene.tif", driver=driver, compress="deflate")
        path = folder / "scene.tif"
        os.truncate(path, int(path.stat().st_size * share) + more)
        return Specimen(path, DAMAGED)

    return make


# A COG has its directory before its pixels, a plain GeoTIFF after them.
for _driver in ("COG", "GTiff"):
    for _name, _share, _more in (
        ("8_bytes", 0, 8), ("9_bytes", 0, 9), ("120_bytes", 0, 120), ("a_tenth", 0.1, 0), ("a_third", 0.33, 0),
        ("half", 0.5, 0), ("two_thirds", 0.67, 0), ("nine_tenths", 0.9, 0), ("all_but_99_bytes", 1, -99),
        ("all_but_9_bytes", 1, -9),
    ):  # fmt: skip
        register(f"{_driver.lower()}_cut_after_{_name}", _cut(_share, _more, _driver))


@specimen
def empty_file(folder: Path) -> Specimen:
    return Specimen(named(folder, b""), NO_RASTER)


@specimen
def text_named_tif(folder: Path) -> Specimen:
    return Specimen(named(folder, b"no raster\n" * 100), NO_RASTER)


@specimen
def page_of_a_login(folder: Path) -> Specimen:
    return Specimen(named(folder, b"<!DOCTYPE html><html><body>Please sign in</body></html>"), NO_RASTER)


@specimen
def zeros_named_tif(folder: Path) -> Specimen:
    return Specimen(named(folder, bytes(100_000)), NO_RASTER)


@specimen
def noise_after_a_tiff_signature(folder: Path) -> Specimen:
    noise = np.random.default_rng(1).bytes(10_000)
    return Specimen(named(folder, b"II*\0\x08\0\0\0" + noise), NO_RASTER)


def tiff(tags: dict[int, tuple[int, int, int]], after: bytes = b"", following: int = 0) -> bytes:
    """Return a little-endian TIFF with one directory, from tag to (type, count, value); `after` follows it."""
    entries = b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", following) + after


SHORT, LONG = 3, 4


def image(width: int, height: int, **changes: tuple[int, int, int]) -> dict[int, tuple[int, int, int]]:
    """Return the tags of a float32 image of two bands in one strip, with its pixels at byte 134."""
    names = {"bits": 258, "compression": 259, "offset": 273, "samples": 277, "bytes": 279, "kind": 339}
    size = min(8 * width * height, 2**32 - 1)
    tags = {
        256: (LONG, 1, width), 257: (LONG, 1, height), 258: _twice(32), 259: (SHORT, 1, 1), 262: (SHORT, 1, 1),
        273: (LONG, 1, 134), 277: (SHORT, 1, 2), 278: (LONG, 1, height), 279: (LONG, 1, size), 339: _twice(3),
    }  # fmt: skip
    return {**tags, **{names[name]: value for name, value in changes.items()}}


def _twice(value: int) -> tuple[int, int, int]:
    """Return a tag with the same value for two bands."""
    return SHORT, 2, value | value << 16


def pixels(count: int) -> bytes:
    return np.full(2 * count, -10, dtype="<f4").tobytes()


def _forged(content: bytes, expected: Refused | Same = DAMAGED):
    return lambda folder: Specimen(named(folder, content), expected)


register("directory_that_follows_itself", _forged(tiff(image(5, 5), b"", following=8)))
register("directory_beyond_the_end", _forged(b"II*\0" + struct.pack("<I", 2**31) + bytes(100)))
register("directory_inside_the_header", _forged(b"II*\0\x04\0\0\0" + bytes(100)))
register("no_columns", _forged(tiff(image(0, 5), pixels(25))))
register("no_rows", _forged(tiff(image(5, 0), pixels(25))))
register("as_large_as_a_tiff_can_say", _forged(tiff(image(2**31 - 1, 2**31 - 1), pixels(25)), Refused("")))
register("wide_beyond_all_memory", _forged(tiff(image(2**31 - 1, 4), pixels(25)), Refused("")))
register("pixels_beyond_the_end", _forged(tiff(image(5, 5, offset=(LONG, 1, 2**31)), pixels(25))))
register("fewer_pixels_than_said", _forged(tiff(image(500, 500), pixels(25))))
register("bits_that_no_sample_has", _forged(tiff(image(5, 5, bits=_twice(33)), pixels(25))))
register("no_bits", _forged(tiff(image(5, 5, bits=_twice(0)), pixels(25))))
register("more_bands_than_pixels", _forged(tiff(image(5, 5, samples=(SHORT, 1, 65535)), pixels(25)), Refused("")))
register("unknown_compression", _forged(tiff(image(5, 5, compression=(SHORT, 1, 9999)), pixels(25))))
register("noise_for_deflate", _forged(tiff(image(5, 5, compression=(SHORT, 1, 8)), pixels(25))))
register("noise_for_jpeg", _forged(tiff(image(5, 5, compression=(SHORT, 1, 7)), pixels(25))))


@specimen
def archive_named_tif(folder: Path) -> Specimen:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.write(plain(folder), "scene.tif")
    return Specimen(named(folder, held.getvalue(), "archive.tif"), NO_RASTER)


@specimen
def packed_named_tif(folder: Path) -> Specimen:
    return Specimen(named(folder, gzip.compress(plain(folder).read_bytes()), "packed.tif"), NO_RASTER)


@specimen
def container_without_bands(folder: Path) -> Specimen:
    return Specimen(named(folder, b"CDF\x01" + bytes(28), "inside.nc"), Refused("has no bands|is not a raster"))


@specimen
def half_a_png(folder: Path) -> Specimen:
    path = write(folder / "scene.png", np.zeros((3, 90, 90), np.uint8), (), driver="PNG")
    os.truncate(path, path.stat().st_size // 2)
    return Specimen(path, Refused(""))


@specimen
def noise_named_jp2(folder: Path) -> Specimen:
    signature = b"\0\0\0\x0cjP  \r\n\x87\n"
    return Specimen(named(folder, signature + np.random.default_rng(2).bytes(999), "scene.jp2"), NO_RASTER)


@specimen
def folder_for_a_file(folder: Path) -> Specimen:
    (folder / "scenes").mkdir()
    return Specimen(folder / "scenes", NO_RASTER)


@specimen
def pipe_that_nobody_writes(folder: Path) -> Specimen:
    os.mkfifo(folder / "scene.tif")
    return Specimen(folder / "scene.tif", Refused("not a (file|raster)"))


@specimen
def socket_for_a_file(folder: Path) -> Specimen:
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(folder)  # names of sockets are short
        try:
            server.bind("scene.tif")
        finally:
            os.chdir(here)
    return Specimen(folder / "scene.tif", Refused("not a (file|raster)"))


@specimen
def device_without_end(folder: Path) -> Specimen:
    return Specimen("/dev/zero", Refused("not a (file|raster)"))


@specimen
def link_to_nothing(folder: Path) -> Specimen:
    (folder / "scene.tif").symlink_to(folder / "gone.tif")
    return Specimen(folder / "scene.tif", Refused("There is no file|is not a raster"))


@specimen
def link_to_itself(folder: Path) -> Specimen:
    (folder / "scene.tif").symlink_to(folder / "scene.tif")
    return Specimen(folder / "scene.tif", Refused("There is no file|is not a raster"))


def beside(name: str, content: bytes):
    """Return the plain scene with a hostile sidecar, which must have no effect."""

    def make(folder: Path) -> Specimen:
        path = plain(folder)
        named(folder, content, name)
        return Specimen(path, Same())

    return make


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><PAMDataset><Metadata>&j;</Metadata></PAMDataset>"
)
register("noise_for_overviews_beside", beside("scene.tif.ovr", b"II*\0" + bytes(50)))
register("noise_for_a_mask_beside", beside("scene.tif.msk", b"no mask"))
register("noise_for_metadata_beside", beside("scene.tif.aux.xml", b"<PAMDataset><"))
register("bomb_of_entities_beside", beside("scene.tif.aux.xml", BOMB))
register("noise_for_a_world_file_beside", beside("scene.tfw", b"\xff\xfe\0"))
