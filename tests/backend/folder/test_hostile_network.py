"""network.onnx from anyone: what isn't a network of this program is refused before an engine sees it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pytest

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, NETWORK
from backend.core.errors import ModelError
from backend.folder.read import read_graph
from backend.graph import check, onnx_file
from backend.graph.graph import Node
from backend.graph.onnx_file import from_bytes, to_bytes
from backend.graph.wire import WireError, block, real, whole


@pytest.fixture
def folder(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "copy")


@pytest.fixture(scope="session")
def content(tiny_model):
    return (tiny_model / NETWORK).read_bytes()


def refused(folder, content, message):
    """Put other bytes in place of the network, with the card's hash made to fit; the refusal says `message`."""
    (folder / NETWORK).write_bytes(content)
    data = json.loads((folder / CARD).read_text())
    data["network"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / CARD).write_text(json.dumps(data))
    with pytest.raises(ModelError, match=message) as refusal:
        read_graph(folder, ModelCard.load(folder / CARD))
    assert "\n" not in refusal.value.message and len(refusal.value.message) < 300


def test_a_sound_network_is_read(folder, content):
    card = ModelCard.load(folder / CARD)
    assert to_bytes(read_graph(folder, card)) == content
    assert card.network.opset == 17 and card.network.outputs[0] == "probabilities" and card.network.input == "tiles"
    (folder / NETWORK).unlink()  # then it is built from the weights
    assert to_bytes(read_graph(folder, card)) == content


def test_another_hash_is_refused(folder, content):
    (folder / NETWORK).write_bytes(content[:-1] + b"\0")
    with pytest.raises(ModelError, match="network.onnx has SHA-256"):
        read_graph(folder, ModelCard.load(folder / CARD))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "opset 17"),
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: b"\x80\x04\x95" + data, "not usable"),
        (lambda data: data + b"\0" * 20_000_000, "the card describes at most"),
        (lambda data: data + block(25, b""), "field 25"),  # functions
        (lambda data: data + block(20, b""), "field 20"),  # training
        (lambda data: data + block(8, block(1, "ai.onnx.ml") + whole(2, 3)), "opset 17 alone"),
        (lambda data: data + block(7, b""), "2 values"),
    ],
)
def test_bytes_that_are_no_such_file_are_refused(folder, content, change, message):
    refused(folder, change(content), message)


def part_of(original, name, data):
    """Stand for a function of `onnx_file`: what `original` gives with more data behind."""

    def pieces(*given):
        found, more = original(*given), data if given[0] == name else b""
        return [*found, more] if isinstance(found, list) else found + more

    return pieces


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (block(13, block(1, "location") + block(2, "/etc/passwd")), "field 13"),
        (whole(14, 1), "field 14"),
        (block(4, b"\0\0\0\0"), "field 4"),
    ],
)
def test_data_outside_of_the_file_is_refused(folder, content, monkeypatch, data, message):
    graph = from_bytes(content)
    monkeypatch.setattr(onnx_file, "_constant", part_of(onnx_file._constant, "backbone.cls_token", data))
    refused(folder, to_bytes(graph), message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (block(7, "com.example"), "domain of its own"),
        (block(5, block(1, "body") + block(6, b"") + whole(20, 5)), "field 6"),  # a graph within
        (block(5, block(1, "value") + block(5, b"") + whole(20, 4)), "field 5"),  # a constant of its own
        (block(5, block(1, "axis") + real(2, 1.0) + whole(20, 9)), "of a kind that isn't known"),
    ],
)
def test_operators_with_more_in_them_are_refused(folder, content, monkeypatch, data, message):
    graph = from_bytes(content)
    monkeypatch.setattr(onnx_file, "_node", part_of(onnx_file._node, graph.nodes[3], data))
    refused(folder, to_bytes(graph), message)


def with_node(graph, **changes):
    return dataclasses.replace(graph, nodes=(dataclasses.replace(graph.nodes[0], **changes), *graph.nodes[1:]))


def with_constant(graph, name, value):
    return dataclasses.replace(graph, constants={**graph.constants, name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: with_node(g, operator="Loop"), "operator 'Loop'"),
        (lambda g: with_node(g, inputs=("nowhere",)), "reads 'nowhere'"),
        (lambda g: dataclasses.replace(g, nodes=tuple(reversed(g.nodes))), "which nothing before it gives"),
        (lambda g: dataclasses.replace(g, nodes=(*g.nodes, g.nodes[-1])), "comes twice"),
        (lambda g: dataclasses.replace(g, nodes=(Node("Abs", ("tiles",), "x" * 300), *g.nodes)), "too long"),
        (lambda g: with_constant(g, "backbone.cls_token", np.full((1, 1, 32), np.nan, np.float32)), "not finite"),
        (lambda g: dataclasses.replace(g, outputs=dict(list(g.outputs.items())[1:])), "output 'probabilities'"),
        (lambda g: dataclasses.replace(g, outputs={**g.outputs, "more": (1,)}), "output 'more'|the output"),
        (lambda g: dataclasses.replace(g, shape=("n", 3, 64, 64)), "the card has 2 bands"),
        (lambda g: dataclasses.replace(g, shape=("n", 2, 32, 64)), "tiles of 64 pixels"),
    ],
)
def test_graphs_that_are_not_the_cards_are_refused(folder, content, change, message):
    refused(folder, to_bytes(change(from_bytes(content))), message)


def test_too_many_operators_are_refused(folder, content, monkeypatch):
    monkeypatch.setattr(check, "MOST_NODES", 10)
    refused(folder, content, "operators; at most 10")


def test_damage_anywhere_is_refused_or_harmless(content):
    """Whatever byte is changed, nothing but a refusal comes of it."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(content)
        for place in rng.integers(0, 3000, 3):
            data[place] = rng.integers(256)
        try:
            from_bytes(bytes(data))
        except WireError as refusal:
            assert str(refusal)


def test_another_network_than_the_weights_is_refused(folder, content, make_raster, scene_db, tmp_path, cli):
    """A file that fits its card, but computes something else than PyTorch did with the weights."""
    graph = from_bytes(content)
    other = to_bytes(with_constant(graph, "head.classify.weight", -graph.constants["head.classify.weight"]))
    (folder / NETWORK).write_bytes(other)
    data = json.loads((folder / CARD).read_text())
    data["network"]["sha256"] = hashlib.sha256(other).hexdigest()
    (folder / CARD).write_text(json.dumps(data))
    scene, output = make_raster(scene_db(70, 70)), tmp_path / "o.tif"
    code, _, err = cli("landcover", scene, output, "--model", folder, "--engine", "openvino", "--progress", "none")
    assert code == 1 and "differs from PyTorch by" in err and not output.exists()
