"""What runs the network: the same map by OpenVINO, nearly the same in eight bits, and PyTorch wherever that fails."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import torch

import backend.engines.choice
import backend.engines.factory
from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.cancel import Cancel
from backend.core.errors import Cancelled, InputError, ModelError, ResourceError
from backend.core.events import Reporter
from backend.engines.choice import check_engine, choose_engine
from backend.maps.attention import attention
from backend.maps.embeddings import embed
from backend.maps.landcover import landcover
from backend.maps.request import Context, Request
from backend.network.int8 import QuantisedLayer, layers_of, quantised
from backend.network.vit import build_model
from backend.network.weights import load_model, save_model
from backend.output.sink import RasterSink
from tests.backend.conftest import tiny_card

openvino = pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")
CPU = torch.device("cpu")


class Told(Reporter):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def log(self, level, message):
        self.lines.append((level, message))


@pytest.fixture(scope="module")
def ranged_model(tmp_path_factory):
    """A small model whose values stay within bounds, with ranges that its inputs lie in."""
    folder = tmp_path_factory.mktemp("ranged") / "tiny"
    torch.manual_seed(1)
    network, card = build_model(tiny_card()).eval(), tiny_card()
    with torch.no_grad():
        network.head.classify.weight.mul_(8)
    card = save_model(folder, network, card)
    found: dict[str, list[float]] = {}

    def look(name):
        def hook(_, inputs):
            low, high = float(inputs[0].min()), float(inputs[0].max())
            found[name] = [min(0.0, low), max(0.0, high)]

        return hook

    hooks = [layer.register_forward_pre_hook(look(name)) for name, layer in layers_of(network).items()]
    with torch.inference_mode():
        network(torch.randn(16, 2, 64, 64, generator=torch.Generator().manual_seed(0)))
    for hook in hooks:
        hook.remove()
    replace(card, activation_ranges=found).save(folder / CARD)
    return folder


def read(path):
    with rasterio.open(path) as file:
        return file.read()


def mapped(model, scene, folder, engine, **options):
    told = Told()
    request = Request(str(scene), folder / f"{engine}.tif", model, engine=engine, **options)
    shares = folder / f"{engine}-shares.tif"
    facts = landcover(request, probabilities=shares, context=Context(told))
    return read(folder / f"{engine}.tif"), read(shares), facts, told.lines


def test_openvino_makes_the_map_that_pytorch_makes(tiny_model, make_raster, scene_db, tmp_path):
    values = scene_db(200, 310)
    values[:, 50:80, :90] = np.nan
    scene = make_raster(values)
    _, wanted, facts, _ = mapped(tiny_model, scene, tmp_path, "pytorch")
    assert facts["engine"] == "pytorch"
    classes, found, facts, lines = mapped(tiny_model, scene, tmp_path, "openvino", batch_size=3)
    assert facts["engine"] == "openvino" and facts["device"] == "cpu"
    assert ("info", "OpenVINO runs the model.") in lines
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    assert np.nanmax(np.abs(found - wanted)) < 1e-4
    assert {0, 10, 40} <= set(np.unique(classes))


@pytest.mark.parametrize("what", ["mean", "all", "masks", "tokens"])
def test_openvino_reads_attention_and_tokens_too(tiny_model, make_raster, scene_db, tmp_path, what):
    scene, results = make_raster(scene_db(130, 170)), []
    for engine in ("pytorch", "openvino"):
        told = Told()
        output, masks = tmp_path / f"{engine}.tif", tmp_path / f"{engine}-masks.tif"
        request = Request(str(scene), output, tiny_model, engine=engine)
        if what == "tokens":
            embed(request, context=Context(told))
        else:
            attention(
                request,
                heads="all" if what == "all" else "mean",
                masks=masks if what == "masks" else None,
                context=Context(told),
            )
        results.append(read(masks if what == "masks" else output).astype(np.float64))
        assert not [line for line in told.lines if line[0] == "warning"]
    far = np.abs(results[0] - results[1])
    if what == "masks":
        assert (far > 0).mean() < 0.001  # where a patch lies on the very edge of the share
    else:
        assert far.max() < 1e-4 * max(1, np.abs(results[0]).max())


def test_tiles_that_wait_are_given_up_once_cancelled(tiny_model):
    from backend.engines.openvino import Converted

    cancel, (network, _) = Cancel(), load_model(tiny_model)
    tiles = np.zeros((6, 2, 64, 64), dtype=np.float32)
    with Converted(network, lambda net, x: net(x), (2, 64, 64), 2).runner(cancel) as runner:
        assert len(list(runner(tiles))) == 6
        cancel.set()
        with pytest.raises(Cancelled):
            next(runner(tiles))


@pytest.mark.parametrize("fails", [False, True])
def test_threads_of_a_run_end_with_it(tiny_model, make_raster, scene_db, tmp_path, monkeypatch, fails):
    """At once, not when the garbage collector comes by."""
    scene = make_raster(scene_db(130, 170))
    if fails:
        monkeypatch.setattr(RasterSink, "write", lambda self, rows: 1 / 0)
    gc.disable()
    try:
        with pytest.raises(ZeroDivisionError) if fails else nullcontext():
            mapped(tiny_model, scene, tmp_path, "openvino")
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("tile")]
    finally:
        gc.enable()


def test_eight_bits_differ_little(ranged_model, make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(200, 310))
    _, wanted, _, _ = mapped(ranged_model, scene, tmp_path, "pytorch")
    _, found, facts, _ = mapped(ranged_model, scene, tmp_path, "openvino-int8")
    assert facts["engine"] == "openvino-int8"
    far = np.abs(found - wanted)
    assert 1e-4 < far.max(), "it ran in floats"
    assert far.mean() < 0.02
    assert (found.argmax(axis=0) == wanted.argmax(axis=0)).mean() > 0.95


def test_eight_bits_are_computed_as_whole_numbers(ranged_model):
    from backend.engines.openvino import Converted

    network, card = load_model(ranged_model)
    converted = Converted(quantised(network, card.activation_ranges), lambda net, x: net(x), (2, 64, 64), 8)
    facts = [node.get_rt_info() for node in converted._compiled.get_runtime_model().get_ops()]
    kinds = [f["runtimePrecision"].value for f in facts if f["layerType"].value in ("FullyConnected", "Convolution")]
    assert len(kinds) >= len(card.activation_ranges)
    assert sum(kind in ("i8", "u8") for kind in kinds) > len(kinds) / 2


def test_quantised_layer_rounds_to_its_steps():
    layer = torch.nn.Linear(4, 3)
    coarse = QuantisedLayer(layer, -1.0, 3.0)
    x = torch.rand(50, 4) * 4 - 1
    step = 4 / 255
    grid = torch.round(x / step) * step
    scale = layer.weight.detach().abs().amax(dim=1, keepdim=True) / 127
    weight = torch.round(layer.weight / scale) * scale
    torch.testing.assert_close(coarse(x), grid @ weight.T + layer.bias, atol=step, rtol=0)
    assert torch.equal(coarse(torch.zeros(1, 4))[0], layer.bias), "what is invalid stays exactly zero"
    outside = torch.full((1, 4), 100.0)
    torch.testing.assert_close(coarse(outside), coarse(torch.full((1, 4), 3.0)), atol=step, rtol=0)


def test_quantised_copies_and_refuses_names_it_does_not_know(tiny_model):
    network, _ = load_model(tiny_model)
    names = list(layers_of(network))
    copy = quantised(network, {names[0]: [-1.0, 1.0]})
    assert isinstance(copy.get_submodule(names[0]), QuantisedLayer)
    assert not any(isinstance(part, QuantisedLayer) for part in network.modules())
    with pytest.raises(ValueError, match="no layer of this network is called nobody"):
        quantised(network, {"nobody": [0.0, 1.0]})


def test_auto_takes_openvino_on_processors(monkeypatch):
    card = tiny_card()
    assert choose_engine("auto", CPU, card) == "openvino"
    assert choose_engine("auto", torch.device("cuda"), card) == "pytorch"
    forest = replace(card, arch=replace(card.arch, head="forest", windows=(3,)))
    assert choose_engine("auto", CPU, forest) == "pytorch"
    monkeypatch.setattr(backend.engines.choice, "installed", lambda: False)
    assert choose_engine("auto", CPU, card) == "pytorch"


@pytest.mark.parametrize("extent", [None, (500_000, 4_599_900, 500_100, 4_600_000)])
def test_auto_is_one_engine_for_a_raster_and_its_parts(tiny_model, make_raster, scene_db, tmp_path, extent):
    _, _, facts, _ = mapped(tiny_model, make_raster(scene_db(70, 90)), tmp_path, "auto", device="cpu", extent=extent)
    assert facts["engine"] == "openvino"


def test_what_cannot_be_had_is_refused_before_anything_is_read(monkeypatch):
    card = tiny_card()
    check_engine("openvino", "auto", card)
    with pytest.raises(InputError, match="runs on processors"):
        check_engine("openvino", "cuda", card)
    with pytest.raises(ModelError, match="no ranges") as refusal:
        check_engine("openvino-int8", "cpu", card)
    assert "training.quantise" in refusal.value.hint
    monkeypatch.setattr(backend.engines.choice, "installed", lambda: False)
    with pytest.raises(ResourceError, match="not installed") as refusal:
        check_engine("openvino", "auto", card)
    assert "pip install openvino" in refusal.value.hint


def test_command_line_refuses_eight_bits_without_ranges(cli, tiny_model, make_raster, scene_db, tmp_path):
    output = tmp_path / "out.tif"
    code, _, err = cli(
        "landcover", make_raster(scene_db(70, 70)), output, "--model", tiny_model, "--engine", "openvino-int8"
    )
    assert code == 1 and err.count("\n") == 1 and "no ranges" in err
    assert not output.exists()


def test_auto_falls_back_to_pytorch(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    import backend.engines.openvino as module

    def broken(*_):
        raise RuntimeError("an operation that it doesn't know\nand more")

    monkeypatch.setattr(module, "_convert", broken)
    scene = make_raster(scene_db(70, 70))
    _, _, facts, lines = mapped(tiny_model, scene, tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert [text for level, text in lines if level == "warning"] == [
        "OpenVINO can't run this model (an operation that it doesn't know). PyTorch runs it instead."
    ]
    with pytest.raises(ResourceError, match="can't run this model"):
        mapped(tiny_model, scene, tmp_path, "openvino")


def test_another_result_is_not_accepted(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    import backend.engines.openvino as module

    right = module.Converted.answer
    monkeypatch.setattr(module.Converted, "answer", lambda self, tile: right(self, tile) + 0.001)
    _, _, facts, lines = mapped(tiny_model, make_raster(scene_db(70, 70)), tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert any("differs from PyTorch by" in text for level, text in lines if level == "warning")


def test_a_broken_installation_is_borne(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "backend.engines.openvino", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(backend.engines.choice, "installed", lambda: True)
    _, _, facts, lines = mapped(tiny_model, make_raster(scene_db(70, 70)), tmp_path, "auto")
    assert facts["engine"] == "pytorch"
    assert any("can't be loaded" in text for level, text in lines if level == "warning")


def test_nothing_is_reported_to_anyone(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    telemetry = pytest.importorskip("openvino_telemetry")

    def caught(*_, **__):
        raise AssertionError("OpenVINO's use would be reported")

    for name in ("send_event", "send_error", "start_session"):
        monkeypatch.setattr(telemetry.Telemetry, name, caught)
    _, _, facts, _ = mapped(tiny_model, make_raster(scene_db(70, 70)), tmp_path, "openvino")
    assert facts["engine"] == "openvino"


@pytest.mark.parametrize(
    ("ranges", "found"),
    [
        ([], "not an object"),
        ({"a": 3}, "wanted \\[low, high\\]"),
        ({"a": [1, 2]}, "is 1, wanted -1000000.0 to 0.0"),
        ({"a": [-1, float("nan")]}, "nan"),
        ({"a": [-1, "2"]}, "wanted a number"),
        ({str(number): [-1, 1] for number in range(3000)}, "at most 2000"),
    ],
)
def test_ranges_of_a_card_are_checked(ranges, found):
    with pytest.raises(ModelError, match=found):
        ModelCard.from_dict({**tiny_card().to_dict(), "activation_ranges": ranges})


def test_ranges_do_not_outlive_their_weights(ranged_model, tmp_path):
    network, card = load_model(ranged_model)
    assert card.activation_ranges
    assert save_model(tmp_path / "same", network, card).activation_ranges == card.activation_ranges
    with torch.no_grad():
        next(network.parameters()).add_(1)
    assert save_model(tmp_path / "other", network, card).activation_ranges == {}


def test_ranges_of_another_network_are_refused(ranged_model, make_raster, scene_db, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(ranged_model, folder)
    card = ModelCard.load(folder / CARD)
    replace(card, activation_ranges={"backbone.blocks.7.mlp.fc1": [-1.0, 1.0]}).save(folder / CARD)
    with pytest.raises(ModelError, match="no layer of this network"):
        mapped(folder, make_raster(scene_db(70, 70)), tmp_path, "openvino-int8")
    assert not (tmp_path / "openvino-int8.tif").exists()


def test_eight_bits_that_overflow_are_refused(make_raster, scene_db, tmp_path, worker_environment):
    """As on a processor without VNNI instructions, to which oneDNN is restricted here."""
    words = ["landcover", make_raster(scene_db(70, 70)), tmp_path / "o.tif"]
    command = [sys.executable, "-m", "backend", *map(str, words), "--engine", "openvino-int8", "--progress", "none"]
    environment = {**worker_environment, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "in eight bits on this processor" in done.stderr, done.stderr
    assert "--engine openvino" in done.stderr and not (tmp_path / "o.tif").exists()
