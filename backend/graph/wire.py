"""Write and read the fields of a protocol buffer, the encoding of ONNX files.

An ONNX file needs a few messages of it. Reading them here means that a file is known, field by field, before a library
in C++ sees anything: what isn't known is refused, and the library gets what is written here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Union

VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5
_MOST_DIGITS = 10  # of a varint: 64 bits in groups of 7
Value = Union[int, memoryview]
Piece = Union[bytes, memoryview]


class WireError(ValueError):
    """Signal that the bytes are no protocol buffer, or hold an unknown field."""


def varint(number: int) -> bytes:
    """Return a whole number in groups of seven bits; negative ones as 64 bits."""
    number &= 2**64 - 1
    done = bytearray()
    while number > 127:
        done.append(number & 127 | 128)
        number >>= 7
    done.append(number)
    return bytes(done)


def whole(field: int, number: int) -> bytes:
    """Return a field with a whole number."""
    return varint(field << 3 | VARINT) + varint(number)


def real(field: int, number: float) -> bytes:
    """Return a field with a float32."""
    return varint(field << 3 | FLOAT) + struct.pack("<f", number)


def block(field: int, content: bytes | str) -> bytes:
    """Return a field with bytes, a text or a message."""
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | BYTES) + varint(len(data)) + data


def framed(field: int, parts: Iterable[Piece]) -> list[Piece]:
    """Return a field with a message in parts, in front of which its length comes; large ones aren't copied."""
    pieces = list(parts)
    return [varint(field << 3 | BYTES) + varint(sum(map(len, pieces))), *pieces]


def fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field: an integer of 64 bits, or a view of the bytes.

    Raises:
        WireError: The bytes end too early, or a field is of a kind that ONNX files don't have.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == VARINT:
            number, at = _varint(data, at)
            yield tag >> 3, number
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        else:
            size = {DOUBLE: 8, FLOAT: 4}.get(kind, -1)
        if size < 0 or at + size > len(data):
            raise WireError("it is cut off, or no ONNX file")
        yield tag >> 3, data[at : at + size]
        at += size


def signed(value: Value) -> int:
    """Return a whole number that may be negative."""
    if not isinstance(value, int):
        raise WireError("a number is expected where bytes are")
    return value - 2**64 if value >= 2**63 else value


def view(value: Value) -> memoryview:
    """Return the bytes of a field."""
    if isinstance(value, int):
        raise WireError("bytes are expected where a number is")
    return value


def text(value: Value) -> str:
    """Return the text of a field."""
    return str(view(value), "utf-8")


def packed(value: Value) -> list[int]:
    """Return the whole numbers of a field, which holds one of them or many."""
    if isinstance(value, int):
        return [signed(value)]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(signed(number))
    return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for digit in range(_MOST_DIGITS):
        if at >= len(data):
            raise WireError("it is cut off, or no ONNX file")
        byte = data[at]
        at += 1
        number |= (byte & 127) << 7 * digit
        if byte < 128:
            return number & 2**64 - 1, at
    raise WireError("it is no ONNX file")
