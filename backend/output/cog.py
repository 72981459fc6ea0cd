"""Rewrite a finished GeoTIFF in the order of a Cloud Optimized GeoTIFF, without decoding a pixel.

A reader on the network wants all directories at the beginning, and the blocks of overviews before those of the full
image (OGC Cloud Optimized GeoTIFF Standard 1.0, 21-026). A file that is written row by row has it the other way round.
Blocks stay compressed as they are; offsets are all that changes. See TIFF 6.0, section 2, and BigTIFF.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

# Bytes of each type of TIFF and BigTIFF, by number.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
SHORT, LONG, LONG8 = 3, 4, 16
TILE_OFFSETS, TILE_BYTES = 324, 325
# What kind of image a directory is of, and that it is another one at a lower resolution.
SUBFILE, REDUCED = 254, 1
# Where an image lies (GeoTIFF 1.1, annex G): overviews lie where the full image does.
PLACE = (33550, 33922, 34264, 34735, 34736, 34737)
CLASSIC, BIG = 42, 43
# Bytes that are copied at once.
PIECE = 2**24


@dataclass(frozen=True)
class Form:
    """Describe how numbers are written in a file.

    Attributes:
        order: "<" or ">", as NumPy and struct have it.
        big: Whether it is a BigTIFF.
    """

    order: str
    big: bool

    @property
    def word(self) -> str:
        """Return the type code of offsets and counts."""
        return f"{self.order}u{8 if self.big else 4}"

    @property
    def header(self) -> int:
        return 16 if self.big else 8

    @property
    def entry(self) -> int:
        return 20 if self.big else 12

    def number(self, value: int, size: int) -> bytes:
        return value.to_bytes(size, "little" if self.order == "<" else "big")

    def value(self, data: bytes) -> int:
        return int.from_bytes(data, "little" if self.order == "<" else "big")


@dataclass(frozen=True)
class Entry:
    """Hold a field of a directory: tag, type, count of values, and the values as they are in the file."""

    tag: int
    kind: int
    count: int
    data: bytes

    def numbers(self, form: Form) -> NDArray[np.int64]:
        return np.frombuffer(self.data, f"{form.order}u{SIZES[self.kind]}").astype(np.int64)


def rearrange(path: Path, overviews: Sequence[Path] = ()) -> None:
    """Rewrite a tiled GeoTIFF as a Cloud Optimized GeoTIFF, in place; meanwhile it takes its space twice.

    Args:
        path: Closed file, with internal overviews if any. The folder must be private: another file is made in it.
        overviews: Closed tiled GeoTIFFs of one image each, the largest first, that become further overviews.

    Raises:
        OSError: Reading or writing fails, or one isn't a whole tiled TIFF, as on a full disk; the file is as it was.
    """
    ordered = path.with_name(f"{path.name}.ordered")
    try:
        with ExitStack() as stack:
            source, *smaller = (stack.enter_context(each.open("rb")) for each in (path, *overviews))
            target = stack.enter_context(ordered.open("xb"))
            form, directories = _read(source)
            images = [(source, directory) for directory in directories]
            for file in smaller:
                _, (directory,) = _read(file)
                kept = [entry for entry in directory if entry.tag not in PLACE]
                images.append((file, [Entry(SUBFILE, LONG, 1, form.number(REDUCED, 4)), *kept]))
            _write(target, form, images)
        os.replace(ordered, path)
    except (ValueError, KeyError) as error:
        raise OSError(f"the file is damaged: {error}") from error
    finally:
        ordered.unlink(missing_ok=True)


def _write(target: BinaryIO, form: Form, images: Sequence[tuple[BinaryIO, list[Entry]]]) -> None:
    """Write a file of images, the largest first: each a file that has its blocks, and its directory."""
    directories = [directory for _, directory in images]
    tiles = [_tiles(directory, form) for directory in directories]
    sizes = [_directory_bytes(directory, form) for directory in directories]
    place, moved = form.header + sum(sizes), {}
    # The smallest overview first, the full image last.
    for index in range(len(directories) - 1, -1, -1):
        _, counts = tiles[index]
        ends = place + np.cumsum(counts)
        moved[index] = np.where(counts > 0, ends - counts, 0)
        place = int(ends[-1]) if len(counts) else place
    if not form.big and place >= 2**32:
        raise ValueError("the file is too large for a classic TIFF")
    mark = b"II" if form.order == "<" else b"MM"
    kind = form.number(BIG, 2) + form.number(8, 2) + form.number(0, 2) if form.big else form.number(CLASSIC, 2)
    target.write(mark + kind + form.number(form.header, form.header // 2))
    start = form.header
    for index, (directory, size) in enumerate(zip(directories, sizes)):
        following = start + size if index + 1 < len(directories) else 0
        target.write(_directory(_with_offsets(directory, moved[index], form), start, following, form))
        start += size
    for index in range(len(directories) - 1, -1, -1):
        source = images[index][0]
        for offset, count in zip(*(numbers.tolist() for numbers in tiles[index])):
            source.seek(offset)
            while count:
                piece = source.read(min(count, PIECE))
                if not piece:
                    raise ValueError("the file ends within a block")
                target.write(piece)
                count -= len(piece)


def _read(file: BinaryIO) -> tuple[Form, list[list[Entry]]]:
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    kind = Form(order or "<", False).value(head[2:4])
    if order is None or kind not in (CLASSIC, BIG):
        raise ValueError("the file is no TIFF")
    form = Form(order, kind == BIG)
    place = form.value(head[8:16] if form.big else head[4:8])
    directories = []
    while place:
        file.seek(place)
        count = form.value(file.read(8 if form.big else 2))
        table = file.read(count * form.entry)
        place = form.value(file.read(8 if form.big else 4))
        directories.append([_entry(file, table[n : n + form.entry], form) for n in range(0, len(table), form.entry)])
    return form, directories


def _entry(file: BinaryIO, raw: bytes, form: Form) -> Entry:
    word = 8 if form.big else 4
    tag, kind, count = form.value(raw[:2]), form.value(raw[2:4]), form.value(raw[4 : 4 + word])
    size = SIZES[kind] * count
    data = raw[4 + word : 4 + word + size]
    if size > word:
        file.seek(form.value(raw[4 + word :]))
        data = file.read(size)
    return Entry(tag, kind, count, data)


def _tiles(directory: list[Entry], form: Form) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return offset and bytes of each tile."""
    found = {entry.tag: entry for entry in directory}
    if TILE_OFFSETS not in found or TILE_BYTES not in found:
        raise ValueError("the file is not tiled")
    return found[TILE_OFFSETS].numbers(form), found[TILE_BYTES].numbers(form)


def _with_offsets(directory: list[Entry], offsets: NDArray[np.int64], form: Form) -> list[Entry]:
    data = offsets.astype(form.word).tobytes()
    kind = LONG8 if form.big else LONG
    return [replace(e, kind=kind, data=data) if e.tag == TILE_OFFSETS else e for e in directory]


def _value_bytes(entry: Entry, form: Form) -> int:
    """Return the bytes of values outside the directory's table, padded to whole words; 0 if they are inside."""
    word = 8 if form.big else 4
    size = entry.count * (word if entry.tag == TILE_OFFSETS else SIZES[entry.kind])
    return -(-size // word) * word if size > word else 0


def _directory_bytes(directory: list[Entry], form: Form) -> int:
    return _table_bytes(directory, form) + sum(_value_bytes(entry, form) for entry in directory)


def _table_bytes(directory: list[Entry], form: Form) -> int:
    size = (8 + 8 if form.big else 2 + 4) + len(directory) * form.entry
    return -(-size // 8) * 8


def _directory(directory: list[Entry], start: int, following: int, form: Form) -> bytes:
    """Return a directory at a place in the file: its table, then values that don't fit into it."""
    word = 8 if form.big else 4
    table, values = [form.number(len(directory), 8 if form.big else 2)], []
    place = start + _table_bytes(directory, form)
    for entry in directory:
        table.append(form.number(entry.tag, 2) + form.number(entry.kind, 2) + form.number(entry.count, word))
        size = _value_bytes(entry, form)
        if size:
            table.append(form.number(place, word))
            values.append(entry.data.ljust(size, b"\0"))
            place += size
        else:
            table.append(entry.data.ljust(word, b"\0"))
    table.append(form.number(following, word))
    return b"".join(table).ljust(_table_bytes(directory, form), b"\0") + b"".join(values)
