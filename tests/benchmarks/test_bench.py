"""The benchmarks measure what they say, on scenes so small that only the figures' being there and fitting counts."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import rasterio

from backend.card.registry import model_folder
from benchmarks import bench
from benchmarks.speed import growth, limit, startup
from benchmarks.speed.scenes import write_scene
from benchmarks.speed.timing import Timing, interleaved, ratio, summary


def test_scenes_have_the_size_and_the_share_of_data_asked_for(tmp_path):
    write_scene(tmp_path / "a.tif", 600, 900, valid=0.5)
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.shape == (600, 900) and file.descriptions == ("VV", "VH")
        values = file.read()
    assert np.isfinite(values[:, :, :450]).all() and np.isnan(values[:, :, 450:]).all()
    assert -30 < values[:, :, :450].mean() < 0
    assert not np.array_equal(values[:, :50, :300], values[:, 550:, :300])


def test_contenders_run_by_turns_and_ratios_are_taken_within_a_round():
    order = []

    def contender(name, seconds):
        return lambda: order.append(name) or seconds

    timings = interleaved({"a": contender("a", 2.0), "b": contender("b", 3.0)}, 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert ratio(timings, "b", "a") == 1.5
    # One round at half the clock changes nothing.
    slow = [Timing(t.name, t.round, t.seconds * (2 if t.round == 1 else 1), t.anchor_gflops) for t in timings]
    found = summary(slow, "a")
    assert found["contenders"]["b"]["ratio"] == 1.5 and len(found["runs"]) == 6


@pytest.mark.parametrize("engine", ["pytorch", "openvino-int8"])
def test_limit(tmp_path, engine):
    if engine != "pytorch":
        pytest.importorskip("openvino")
    found = limit.measure(model_folder(None), 0.1, 1, engine, tmp_path)
    assert found["tiles"] == 9 and 1 < found["redundancy"]
    seconds = {name: figures["seconds"] for name, figures in found["contenders"].items()}
    assert seconds.keys() == {"bare", "landcover", "half empty"}
    assert 0 < seconds["bare"] < seconds["landcover"]


def test_growth(tmp_path):
    found = growth.measure(300, [200, 300, 500], "pytorch", 1, tmp_path)
    assert [each["megapixels"] for each in found["sizes"]] == [0.06, 0.09, 0.15]
    assert all(each["seconds"] > 0 and each["peak_mib"] > 100 for each in found["sizes"])
    growth.draw(found, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").stat().st_size > 5000


@pytest.mark.skipif(shutil.which("qgis_process") is None, reason="no QGIS here")
def test_startup(tmp_path):
    found = startup.measure(1, 256, tmp_path)
    cold, warm = (found["parts"][name] for name in (startup.QGIS, startup.WARM))
    assert list(cold) == list(startup.PARTS) and all(seconds >= 0 for seconds in cold.values())
    assert warm.keys() < cold.keys() and warm["import"] < 0.1 < cold["import"]
    # Parts tell of all of it.
    assert sum(cold.values()) == pytest.approx(found["seconds"][startup.QGIS], abs=0.05)
    for name in ("cold", "warm"):
        with rasterio.open(tmp_path / f"{name}.tif") as file:
            assert file.shape == (256, 256)
    assert "256 x 256 pixels, 1 rounds" in startup.table(found)


def test_bench_refuses_what_it_does_not_know_and_collects_what_ran(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", "--only", "speed"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "there is no benchmark speed" in capsys.readouterr().err
    asked = []

    def program(module, *arguments):
        asked.append(module)
        if "--json" not in arguments or module == "benchmarks.speed.startup":
            return 1
        path = arguments[arguments.index("--json") + 1]
        with open(path, "w") as file:
            json.dump({"made by": module}, file)
        return 0

    monkeypatch.setattr(bench, "program", program)
    monkeypatch.setattr("sys.argv", ["bench", "--out", str(tmp_path), "--only", "limit", "startup"])
    assert bench.main() == 1
    assert asked == ["benchmarks.speed.limit", "benchmarks.speed.startup"]
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["limit"] == {"made by": "benchmarks.speed.limit"} and "startup" not in found and found["cores"]
