"""`make bench` writes complete figures; the scenes are too small for their values to mean anything."""

from __future__ import annotations

import json

import pytest
import torch

from backend.card.model_card import ModelCard
from backend.network.vit import build_model
from backend.network.weights import save_model
from tests.support.random_model import CARD
from tests.support.two_classes import make_folder


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


@pytest.mark.slow
def test_presets_take_steps_that_compare_tokens(benchmark, tmp_path):
    rest = ["--batch", 2, "--steps", 1, "--device", "cpu", "--json", tmp_path / "found.json"]
    done = benchmark("speed.presets", "cpu_small", *rest)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "found.json").read_text())
    assert row["backbone_parameters_millions"] == pytest.approx(2.9, abs=0.3) and row["images_per_s"] > 0


@pytest.mark.slow
def test_the_start_is_timed_with_new_and_known_files(benchmark, tmp_path):
    make_folder(tmp_path)
    done = benchmark("speed.training_start", "--data", tmp_path, "--json", tmp_path / "found.json")
    assert done.returncode == 0, done.stderr
    assert all(seconds > 0.5 for seconds in json.loads((tmp_path / "found.json").read_text()).values())
    assert "new files" in done.stdout and "known files" in done.stdout


def test_the_start_of_a_refused_run_is_not_timed(benchmark, tmp_path):
    (tmp_path / "empty").mkdir()
    done = benchmark("speed.training_start", "--data", tmp_path / "empty")
    assert done.returncode == 1 and "No raster in" in done.stderr


@pytest.mark.slow
def test_the_check_of_a_card_is_rehearsed_without_one(benchmark, tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(CARD))
    card, model = ModelCard.load(tmp_path / "card.json"), tmp_path / "tiny"
    save_model(model, build_model(card), card)
    rest = ["--model", model, "--engine", "pytorch", "--json", tmp_path / "found.json"]
    done = benchmark("checks.card", "--device", "cpu", "--megapixels", "0.03", *rest)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert [each["name"] for each in found["ways"]] == ["dB", "dB * 100", "power", "amplitude"]
    for each in found["ways"]:
        assert each["same"] >= 0.998 and each["valid_same"] and each["repeated"] and each["seconds_card"] > 0
    assert done.stdout.count("as wanted") == 4 and "peak memory: process" in done.stdout


@pytest.mark.slow
def test_without_a_card_its_check_refuses(benchmark):
    if torch.cuda.is_available():
        pytest.skip("there is a card")
    done = benchmark("checks.card")
    assert done.returncode == 1 and "The device cuda was asked for" in done.stderr and not done.stdout


@pytest.mark.slow
def test_what_the_processor_does_beside_a_card_is_estimated(benchmark):
    done = benchmark("speed.card_host", "--megapixels", "0.1")
    assert done.returncode == 0, done.stderr
    assert "decoder-7" in done.stdout and "estimate, 425 Mpx, 16 cores" in done.stdout
