"""The graph of a network gives what PyTorch gives, whatever card describes it, for any batch and tile."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.card.arch import Arch
from backend.card.tensors import expected_tensors
from backend.graph.check import check_graph
from backend.graph.eight_bits import layer_names, quantised
from backend.graph.network import build_graph
from backend.graph.onnx_file import from_bytes, to_bytes
from backend.graph.probe import kept_values, probe_tile
from backend.network import int8
from backend.network.vit import build_model
from backend.network.weights import known_answers
from tests.backend.conftest import tiny_card
from tests.support.backend.portable import tensors_of

FOREST = {"windows": (3, 5), "trees": 11, "tree_nodes": 7, "tree_depth": 3, "smooth": 3, "head_dim": 6}
NETWORKS = {
    "linear": {"stem": "patch", "positions": "learned"},
    "detail": {"stem": "conv", "positions": "none", "registers": 1},
    "decoder": {"stem": "conv", "positions": "learned"},
    "conv": {"stem": "patch", "positions": "none", "registers": 2},
    "forest": {"stem": "conv", "positions": "none", **FOREST},
}


def computed(graph, x):
    """Return the outputs of a graph for tiles, by OpenVINO."""
    core = pytest.importorskip("backend.engines.openvino", reason="OpenVINO has no package for this platform")._core()
    compiled = core.compile_model(core.read_model(to_bytes(graph)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return list(compiled(x.numpy()).values())


def make(head):
    """A network of random weights in which nothing is zero, and its card."""
    torch.manual_seed(0)
    card = tiny_card(arch=Arch("vit_tiny_patch16_224", 16, 2, 2, head=head, **{"head_dim": 16, **NETWORKS[head]}))
    network = build_model(card).eval()
    for name, tensor in network.state_dict().items():
        if name.startswith("head.") and tensor.is_floating_point():
            tensor.uniform_(0.5, 2) if "running" in name else tensor.normal_(0, 0.3)
    if head == "forest":
        network.head.feature.random_(0, network.head.features)
        network.head.child[:] = torch.tensor([1, 3, 5, 3, 4, 5, 6])
        network.head.threshold[:, 3:] = 1e30
        network.head.share.uniform_(0.1, 1).div_(network.head.share.sum(dim=-1, keepdim=True))
    return network, card


@pytest.mark.parametrize("head", NETWORKS)
def test_tensors_are_those_of_pytorch(head):
    network, card = make(head)
    found = {name: (value.dtype.name, value.shape) for name, value in tensors_of(network).items()}
    assert found == {name: tuple(wanted) for name, wanted in expected_tensors(card).items()}


@pytest.mark.parametrize("head", NETWORKS)
def test_all_outputs_are_those_of_pytorch(head):
    network, card = make(head)
    graph = from_bytes(to_bytes(build_graph(card, tensors_of(network))))
    check_graph(graph, card)
    shape = (2, 2, 96, 64) if card.arch.positions == "none" else (3, 2, 64, 64)
    x = torch.randn(shape)
    x[0, :, :20, :9] = 0
    for name, found in zip(graph.outputs, computed(graph, x)):
        with torch.inference_mode():
            wanted = network.output(x, name).numpy()
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() < 1e-4 * max(1, np.abs(wanted).max()), name


@pytest.mark.parametrize("head", ["decoder", "forest"])
def test_onnx_runtime_gives_the_same(head):
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed here")
    network, card = make(head)
    x = torch.randn(2, 2, 64, 64)
    session = runtime.InferenceSession(to_bytes(build_graph(card, tensors_of(network))))
    for output, found in zip(session.get_outputs(), session.run(None, {"tiles": x.numpy()})):
        with torch.inference_mode():
            np.testing.assert_allclose(found, network.output(x, output.name).numpy(), atol=1e-4)


def test_a_part_of_the_graph_reads_no_more_than_it_needs():
    graph = build_graph(make("detail")[1], tensors_of(make("detail")[0]))
    tokens = graph.only(["tokens_0"])
    assert not any(name.startswith(("head.", "backbone.blocks.1")) for name in tokens.constants)
    assert list(tokens.outputs) == ["tokens_0"] and len(tokens.nodes) < len(graph.nodes) / 2
    with pytest.raises(KeyError):
        graph.only(["tokens_7"])


def test_equal_networks_have_equal_files():
    (network, card), (again, _) = make("conv"), make("conv")
    assert to_bytes(build_graph(card, tensors_of(network))) == to_bytes(build_graph(card, tensors_of(again)))


@pytest.mark.parametrize("emulated", [True, False])
def test_eight_bits_are_those_of_the_emulation_in_pytorch(emulated):
    network, card = make("decoder")
    names = set(int8.layers_of(network))
    graph = build_graph(card, tensors_of(network))
    assert layer_names(graph) == names
    ranges = dict.fromkeys(names, (-3.0, 4.0))
    x = torch.randn(2, 2, 64, 64)
    (found,) = computed(quantised(graph.only(["tokens_1"]), ranges, emulated), x)
    with torch.inference_mode():
        wanted = int8.quantised(network, ranges).output(x, "tokens_1").numpy()
        plain = network.output(x, "tokens_1").numpy()
    # A rounding that goes the other way moves what follows by a step.
    assert np.abs(found - wanted).mean() < 0.1 * np.abs(plain - wanted).mean()


def test_the_known_tile_is_the_same_everywhere():
    tile = probe_tile(2, 16)
    assert tile.shape == (1, 2, 16, 16) and tile.dtype == np.float32
    assert tile.ravel()[:3].tolist() == [-0.3665790557861328, 1.2668418884277344, -0.6883711814880371]
    assert -2 <= tile.min() < -1.9 and 1.9 < tile.max() < 2 and abs(tile.mean()) < 0.1
    assert len(set(kept_values(tile))) == 32 and kept_values(tile[:, :1, :1, :3]) == kept_values(tile[0, 0, 0, :3])


def test_known_answers_are_of_a_network_at_rest():
    network, card = make("detail")
    known = known_answers(network, card)
    assert list(known) == list(build_graph(card, tensors_of(network)).outputs)
    assert known_answers(network.train(), card) == known and network.training
