"""Write a graph as the bytes of an ONNX file, and read one; what this program doesn't write is refused.

Message and field numbers are those of onnx.proto3 (https://github.com/onnx/onnx). The same graph gives the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.graph.graph import INPUT, Attribute, Graph, Node, Shape
from backend.graph.wire import Piece, Value, WireError, block, fields, framed, packed, real, signed, text, view, whole

OPSET = 17  # the first with LayerNormalization
IR_VERSION = 8
PRODUCER = "sar-land-cover-dino"
# Types of arrays by their number in a file.
KINDS: dict[int, str] = {1: "<f4", 2: "|u1", 3: "|i1", 6: "<i4", 7: "<i8"}
NUMBERS = {np.dtype(kind): number for number, kind in KINDS.items()}
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7  # kinds of attributes


def to_bytes(graph: Graph) -> bytes:
    """Return the file of a graph."""
    parts: list[Piece] = [block(1, _node(node)) for node in graph.nodes]
    parts.append(block(2, PRODUCER))
    for name, value in graph.constants.items():
        parts += framed(5, _constant(name, value))
    parts.append(block(11, _array_info(INPUT, graph.shape)))
    parts += [block(12, _array_info(name, shape)) for name, shape in graph.outputs.items()]
    pairs = [block(14, block(1, key) + block(2, value)) for key, value in graph.metadata.items()]
    head = whole(1, IR_VERSION) + block(2, PRODUCER) + block(8, whole(2, OPSET))
    return b"".join((head, *pairs, *framed(7, parts)))


def _node(node: Node) -> bytes:
    parts = [block(1, name) for name in node.inputs]
    parts += [block(2, node.name), block(3, node.name), block(4, node.operator)]
    parts += [block(5, block(1, name) + _attribute(value)) for name, value in node.attributes.items()]
    return b"".join(parts)


def _attribute(value: Attribute) -> bytes:
    if isinstance(value, float):
        return real(2, value) + whole(20, _FLOAT)
    if isinstance(value, int):
        return whole(3, value) + whole(20, _INT)
    if isinstance(value, str):
        return block(4, value) + whole(20, _STRING)
    return b"".join(whole(8, number) for number in value) + whole(20, _INTS)


def _constant(name: str, value: NDArray[Any]) -> list[Piece]:
    content = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False)
    sides = b"".join(whole(1, side) for side in value.shape)
    head = sides + whole(2, NUMBERS[value.dtype]) + block(8, name)
    return [head, *framed(9, [content.reshape(-1).view(np.uint8).data])]


def _array_info(name: str, shape: Shape) -> bytes:
    sides = b"".join(block(1, whole(1, side) if isinstance(side, int) else block(2, side)) for side in shape)
    return block(1, name) + block(2, block(1, whole(1, 1) + block(2, sides)))


def from_bytes(content: bytes) -> Graph:
    """Return the graph of a file; of what it computes nothing is checked here (`backend.graph.check`).

    Raises:
        WireError: It is no ONNX file, or holds what no file of this program does: data outside of it, operators or
            functions of its own, graphs within operators.
    """
    try:
        found = _fields(memoryview(content), (1, 2, 7, 8, 14), "the file")
        opsets = [_fields(view(each), (1, 2), "its opset") for each in found.get(8, [])]
        if [signed(_one(each, 2)) for each in opsets] != [OPSET] or text(_one(opsets[0], 1, b"")):
            raise WireError(f"it isn't of opset {OPSET} alone")
        pairs = [_fields(view(each), (1, 2), "its metadata") for each in found.get(14, [])]
        metadata = {text(_one(pair, 1)): text(_one(pair, 2)) for pair in pairs}
        return _graph(_fields(view(_one(found, 7)), (1, 2, 5, 11, 12), "its graph"), metadata)
    except (UnicodeDecodeError, struct.error, OverflowError) as error:
        raise WireError(f"it is no ONNX file ({error})") from error


def _graph(found: dict[int, list[Value]], metadata: dict[str, str]) -> Graph:
    inputs = [_read_info(view(each)) for each in found.get(11, [])]
    outputs = [_read_info(view(each)) for each in found.get(12, [])]
    constants = [_read_constant(view(each)) for each in found.get(5, [])]
    nodes = tuple(_read_node(view(each)) for each in found.get(1, []))
    if [name for name, _ in inputs] != [INPUT]:
        raise WireError(f"its inputs aren't {INPUT!r} alone")
    return Graph(nodes, dict(constants), inputs[0][1], dict(outputs), metadata)


def _read_node(data: memoryview) -> Node:
    found = _fields(data, (1, 2, 3, 4, 5, 7), "an operator")
    name = text(_one(found, 2))
    if text(_one(found, 7, b"")):
        raise WireError(f"the operator {name!r:.60} is of a domain of its own")
    attributes = dict(_read_attribute(view(each)) for each in found.get(5, []))
    return Node(text(_one(found, 4)), tuple(text(each) for each in found.get(1, [])), name, attributes)


def _read_attribute(data: memoryview) -> tuple[str, Attribute]:
    found = _fields(data, (1, 2, 3, 4, 8, 20), "an attribute")
    name, kind = text(_one(found, 1)), signed(_one(found, 20))
    if kind == _FLOAT:
        return name, float(struct.unpack("<f", view(_one(found, 2)))[0])
    if kind == _INT:
        return name, signed(_one(found, 3))
    if kind == _STRING:
        return name, text(_one(found, 4))
    if kind == _INTS:
        return name, tuple(number for each in found.get(8, []) for number in packed(each))
    raise WireError(f"the attribute {name!r:.60} is of a kind that isn't known")


def _read_constant(data: memoryview) -> tuple[str, NDArray[Any]]:
    # Fields 13 and 14 would name another file.
    found = _fields(data, (1, 2, 8, 9), "a constant")
    name, kind = text(_one(found, 8)), signed(_one(found, 2))
    if kind not in KINDS:
        raise WireError(f"the constant {name!r:.60} is of a type that isn't known")
    sides = [number for each in found.get(1, []) for number in packed(each)]
    content, dtype = view(_one(found, 9, b"")), np.dtype(KINDS[kind])
    count = 1
    for side in sides:
        count *= side
    if min(sides, default=1) < 0 or len(content) != count * dtype.itemsize:
        raise WireError(f"the constant {name!r:.60} hasn't the size that it says")
    return name, np.frombuffer(content, dtype).reshape(sides)


def _read_info(data: memoryview) -> tuple[str, Shape]:
    found = _fields(data, (1, 2), "an input or output")
    tensor = _fields(view(_one(_fields(view(_one(found, 2)), (1,), "a type"), 1)), (1, 2), "a type")
    if signed(_one(tensor, 1)) != 1:
        raise WireError("an input or output isn't of float32")
    sides: list[int | str] = []
    for each in _fields(view(_one(tensor, 2)), (1,), "a shape").get(1, []):
        side = _fields(view(each), (1, 2), "a side")
        sides.append(signed(side[1][0]) if 1 in side else text(_one(side, 2)))
    return text(_one(found, 1)), tuple(sides)


def _fields(data: memoryview, known: Collection[int], what: str) -> dict[int, list[Value]]:
    found: dict[int, list[Value]] = {}
    for number, value in fields(data):
        if number not in known:
            raise WireError(f"{what} has a part that this program doesn't write (field {number})")
        found.setdefault(number, []).append(value)
    return found


def _one(found: dict[int, list[Value]], number: int, default: bytes | None = None) -> Value:
    values = found.get(number, [])
    if not values and default is not None:
        return memoryview(default)
    if len(values) != 1:
        raise WireError(f"{len(values)} values are where one belongs (field {number})")
    return values[0]
