"""A model stays loaded between runs with one context, until another is wanted or its files change."""

import shutil
from dataclasses import replace

import pytest
import rasterio
import torch

from backend.core.errors import ModelError
from backend.engines.answer import CLASS_PROBABILITIES
from backend.engines.choice import installed
from backend.maps import load as module
from backend.maps.attention import attention
from backend.maps.early import begin
from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from backend.network.weights import load_model, save_model


@pytest.fixture
def loads(monkeypatch):
    """Folders of the models that were loaded."""
    found, real = [], module.load

    def counted(wish, log):
        found.append(wish.folder)
        return real(wish, log)

    monkeypatch.setattr(module, "load", counted)
    return found


@pytest.fixture
def asked(tiny_model, make_raster, scene_db, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    scene = make_raster(scene_db(70, 70))
    return Request(str(scene), tmp_path / "o.tif", folder, device="cpu", engine="pytorch", overwrite=True)


def mapped(request, context):
    landcover(request, context=context)
    with rasterio.open(request.output) as file:
        return file.read(1)


def test_runs_with_one_context_load_once(asked, loads):
    context = MapContext()
    first, second = (mapped(asked, context) for _ in range(2))
    assert len(loads) == 1 and (first == second).all()
    mapped(asked, MapContext())
    assert len(loads) == 2


@pytest.mark.parametrize("change", [{"batch_size": 1}, {"device": "auto"}, {"engine": "auto"}])
def test_another_request_loads_again(asked, loads, change):
    context = MapContext()
    mapped(asked, context)
    mapped(replace(asked, **change), context)
    assert len(loads) == 2


def test_new_weights_are_loaded(asked, loads):
    context, (network, card) = MapContext(), load_model(asked.model)
    before = mapped(asked, context)
    with torch.no_grad():
        for parameter in network.head.parameters():
            parameter.neg_()
    save_model(asked.model, network, card)
    assert (mapped(asked, context) != before).any() and len(loads) == 2


@pytest.mark.skipif(not installed(), reason="OpenVINO has no package for this platform")
def test_a_model_that_was_begun_is_not_loaded_again(asked, loads):
    context, request = MapContext(), replace(asked, engine="auto")
    begin(request, context, CLASS_PROBABILITIES)
    begin(request, context, CLASS_PROBABILITIES)
    mapped(request, context)
    assert len(loads) == 1


@pytest.mark.skipif(not installed(), reason="OpenVINO has no package for this platform")
def test_what_is_wrong_with_a_model_that_was_begun_is_said(asked):
    context, request, weights = MapContext(), replace(asked, engine="auto"), asked.model / "model.safetensors"
    (asked.model / "network.onnx").unlink(missing_ok=True)
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    begin(request, context, CLASS_PROBABILITIES)
    with pytest.raises(ModelError, match="SHA-256"):
        mapped(request, context)
    assert not request.output.exists()


def test_damaged_weights_are_refused_though_sound_ones_are_kept(asked):
    context, weights = MapContext(), asked.model / "model.safetensors"
    mapped(asked, context)
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="SHA-256"):
        mapped(asked, context)


@pytest.mark.skipif(not installed(), reason="OpenVINO has no package for this platform")
def test_a_network_is_converted_once(asked, monkeypatch):
    from backend.engines.portable import PortableEngine

    answers, real = [], PortableEngine._make

    def counted(self, outputs):
        answers.append(outputs)
        return real(self, outputs)

    monkeypatch.setattr(PortableEngine, "_make", counted)
    context, request = MapContext(), replace(asked, engine="openvino")
    first, second = (mapped(request, context) for _ in range(2))
    assert len(answers) == 1 and (first == second).all()
    for block in (0, 1, 0):
        attention(request, block=block, context=context)
    assert len(answers) == 3
    mapped(request, context)  # no longer kept
    assert len(answers) == 4
