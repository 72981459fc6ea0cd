"""`make bench` writes complete figures; the scenes are too small for their values to mean anything."""

from __future__ import annotations

import json

import pytest


@pytest.mark.slow
def test_bench_runs_a_benchmark_and_collects_its_figures(benchmark, tmp_path):
    pytest.importorskip("openvino")
    done = benchmark("bench", "--only", "limit", "--megapixels", "0.12", "--rounds", 1, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "bench.json").read_text())
    assert [each["engine"] for each in found["limit"]] == ["pytorch", "openvino", "openvino-int8"] and found["cores"]
    for each in found["limit"]:
        assert each["tiles"] == 4 and 1 < each["redundancy"] < 2
        assert each["contenders"].keys() == {"bare", "landcover", "half empty"}
        for name, figures in each["contenders"].items():
            assert figures["seconds"] > 0 and (figures["ratio"] == 1 if name == "bare" else figures["ratio"] > 0)
        assert each["anchor_gflops"]["lowest"] > 0 and len(each["runs"]) == 3
    assert "openvino-int8, 0 Mpx, 4 tiles" in done.stdout


def test_bench_refuses_an_unknown_benchmark(benchmark):
    done = benchmark("bench", "--only", "speed")
    assert done.returncode == 2 and "there is no benchmark speed" in done.stderr


@pytest.mark.slow
def test_growth_has_time_and_memory_of_every_size(benchmark, tmp_path):
    sizes = ["--width", 300, "--rows", 200, 500, "--engine", "pytorch", "--threads", 1]
    done = benchmark("speed.growth", *sizes, "--json", tmp_path / "g.json", "--picture", tmp_path / "g.png")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "g.json").read_text())
    assert [each["megapixels"] for each in found["sizes"]] == [0.06, 0.15]
    assert all(each["seconds"] > 0 and each["peak_mib"] > 100 for each in found["sizes"])
    assert (tmp_path / "g.png").stat().st_size > 5000
