"""OpenVINO gives the maps of PyTorch, ends its threads, and reports to nobody."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from contextlib import nullcontext

import numpy as np
import pytest

from backend.core.cancel import Cancel
from backend.core.errors import Cancelled
from backend.engines.answer import CLASS_PROBABILITIES
from backend.maps.attention import attention
from backend.maps.embeddings import embed
from backend.maps.request import MapContext, Request
from backend.network.weights import load_model
from backend.output.sink import RasterSink
from tests.support.backend.listener import Listener
from tests.support.backend.portable import compiled
from tests.support.backend.reading import mapped, read

pytest.importorskip("openvino", reason="OpenVINO has no package for this platform")


def test_openvino_makes_the_map_of_pytorch(tiny_model, make_raster, scene_db, tmp_path):
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
def test_openvino_reads_attention_and_tokens(tiny_model, make_raster, scene_db, tmp_path, what):
    scene, results = make_raster(scene_db(130, 170)), []
    for engine in ("pytorch", "openvino"):
        told = Listener()
        output, masks = tmp_path / f"{engine}.tif", tmp_path / f"{engine}-masks.tif"
        request = Request(str(scene), output, tiny_model, engine=engine)
        if what == "tokens":
            embed(request, context=MapContext(told))
        else:
            attention(
                request,
                heads="all" if what == "all" else "mean",
                masks=masks if what == "masks" else None,
                context=MapContext(told),
            )
        results.append(read(masks if what == "masks" else output).astype(np.float64))
        assert not [line for line in told.lines if line[0] == "warning"]
    far = np.abs(results[0] - results[1])
    if what == "masks":
        assert (far > 0).mean() < 0.001  # where a patch lies on the very edge of the share
    else:
        assert far.max() < 1e-4 * max(1, np.abs(results[0]).max())


def test_tiles_that_wait_are_given_up_once_cancelled(tiny_model):
    cancel, network = Cancel(), compiled(*load_model(tiny_model))
    tiles = np.zeros((6, 2, 64, 64), dtype=np.float32)
    with network.runner(CLASS_PROBABILITIES, cancel) as runner:
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


def test_openvino_reports_nothing_over_the_net(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    telemetry = pytest.importorskip("openvino_telemetry")

    def caught(*_, **__):
        raise AssertionError("OpenVINO's use would be reported")

    for name in ("send_event", "send_error", "start_session"):
        monkeypatch.setattr(telemetry.Telemetry, name, caught)
    _, _, facts, _ = mapped(tiny_model, make_raster(scene_db(70, 70)), tmp_path, "openvino")
    assert facts["engine"] == "openvino"


def test_signals_survive_networks_that_are_dropped(tiny_model, worker_environment):
    """OpenVINO's plugin gives the thread a signal stack, which must not be freed while signals may come."""
    code = (
        "import os, signal; from pathlib import Path; from backend.folder.read import read_graph\n"
        "from backend.engines.openvino import Compiled; from backend.card.model_card import ModelCard\n"
        f"folder = Path({str(tiny_model)!r}); graph = read_graph(folder, ModelCard.load(folder / 'card.json'))\n"
        "first, second = (Compiled(graph, (2, 64, 64), 1) for _ in range(2))\n"
        "del first\ndel second\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('heard'))\n"
        "os.kill(os.getpid(), signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=worker_environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr
