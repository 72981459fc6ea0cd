"""Test the fine-tuning command: training, log, refusals, and a model that the backend runs."""

from __future__ import annotations

import json
import shutil
import signal

import pytest
import rasterio
import torch

from backend.__main__ import main as backend_main
from backend.card.arch import FINETUNED_HEADS
from backend.core.errors import InputError
from backend.network.weights import load_model
from tests.support.two_classes import TOML, make_folder, rows, run
from training.evaluate import main as evaluate_main
from training.landcover.chips import CropSampler
from training.landcover.data import load_data
from training.run.common_config import ModelConfig
from training.run.config import load_recipe, resolve
from training.run.finetune_config import CropAugmentConfig, FinetuneConfig


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"))


def test_it_learns_and_the_backend_maps_with_it(data, tmp_path):
    assert run(data, tmp_path / "m", "steps=60", "val_every=20", "name=two-classes") == 0
    _, card = load_model(tmp_path / "m")
    assert [item.value for item in card.classes] == [10, 80]  # the class without a pixel is left out
    assert card.name == "two-classes" and card.metrics["validation"]["mean_iou"] > 0.8
    assert evaluate_main([str(tmp_path / "m"), str(data), "--split", "val", "--json", str(tmp_path / "s.json"),
                          "--picture", str(tmp_path / "s.png"), "--device", "cpu"]) == 0  # fmt: skip
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["all"]["overall_accuracy"] > 0.9 and len(scores["images"]) == 3
    assert set(scores["merged"]["all"]["classes"]) == {"tree", "water"}
    assert (tmp_path / "s.png").stat().st_size > 1000


@pytest.mark.parametrize("head", FINETUNED_HEADS)
def test_every_head_learns_on_a_frozen_backbone_and_maps(data, tmp_path, head):
    settings = ("steps=60", "val_every=30", "freeze_backbone=true", f"head={head}", "lr=0.01")
    assert run(data, tmp_path / "m", *settings) == 0
    _, card = load_model(tmp_path / "m")
    assert card.arch.head == head and card.metrics["validation"]["mean_iou"] > 0.6
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    arguments = ["landcover", str(data / "images" / "8.tif"), str(tmp_path / "map.tif"), "--model", str(tmp_path / "m")]
    assert backend_main([*arguments, "--device", "cpu", "--progress", "none"]) == 0
    for number, handler in handlers.items():
        signal.signal(number, handler)
    with rasterio.open(tmp_path / "map.tif") as mapped, rasterio.open(data / "labels" / "8.tif") as label:
        assert (mapped.read() == label.read()).mean() > 0.75


def test_the_log_tells_loss_rate_and_scores(data, tmp_path):
    assert run(data, tmp_path / "m", "steps=40", "val_every=20", "lr=0.01", "warmup=0.5") == 0
    log = rows(tmp_path / "m")
    assert [row["step"] for row in log] == ["20", "40"]
    assert list(log[0]) == ["step", "loss", "lr", "mean_iou", "overall_accuracy", "group_iou"]
    assert float(log[0]["lr"]) == pytest.approx(0.01) and float(log[1]["lr"]) == pytest.approx(1e-4)
    assert 0 < float(log[1]["loss"]) < float(log[0]["loss"]) < 2
    assert all(0 <= float(row["mean_iou"]) <= float(row["overall_accuracy"]) <= 1 for row in log)


def test_without_a_split_there_are_no_scores_but_last_weights(data, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    for name in ("images", "labels", "dataset.toml"):
        (whole / name).symlink_to(data / name)
    assert run(whole, tmp_path / "m", "steps=2", "val_every=1") == 0
    assert [list(row) for row in rows(tmp_path / "m")] == [["step", "loss", "lr"]] * 2
    assert load_model(tmp_path / "m")[1].metrics == {}


def test_training_stops_when_the_checks_no_longer_rise(data, tmp_path):
    """With a learning rate of 0 every check has the same score, and only the first is a new best."""
    settings = ("steps=50", "val_every=1", "patience=2", "lr=0.0", "head=linear")
    assert run(data, tmp_path / "m", *settings) == 0
    assert [row["step"] for row in rows(tmp_path / "m")] == ["1", "2", "3"]
    assert run(data, tmp_path / "m", *settings, resume=True) == 0  # it is over; resuming adds nothing
    assert len(rows(tmp_path / "m")) == 3


def test_one_group_of_all_classes_is_no_score(data, tmp_path):
    grouped = tmp_path / "grouped"
    shutil.copytree(data, grouped)
    facts = grouped / "dataset.toml"
    facts.write_text(facts.read_text().replace('color = "#', 'group = "all"\ncolor = "#'))
    assert run(grouped, tmp_path / "m", "steps=2", "val_every=1") == 0
    assert all(row["group_iou"] == row["mean_iou"] for row in rows(tmp_path / "m"))
    assert "mean_iou" in json.loads((tmp_path / "m" / "card.json").read_text())["metrics"]["validation"]


def test_a_model_is_tuned_further_with_tiles_of_another_size(data, tmp_path, capsys):
    assert run(data, tmp_path / "first", "steps=2", "val_every=2") == 0
    assert run(data, tmp_path / "second", "steps=1", "val_every=1", backbone=tmp_path / "first") == 0
    assert run(data, tmp_path / "third", "steps=1", "val_every=1", "tile=48", backbone=tmp_path / "first") == 0
    assert json.loads((tmp_path / "third" / "card.json").read_text())["tile"] == 48
    assert run(data, tmp_path / "fourth", "tile=44", backbone=tmp_path / "first") == 1
    assert "44" in capsys.readouterr().err


def test_a_models_head_goes_on_for_the_same_kind_and_classes(data, tmp_path):
    assert run(data, tmp_path / "first", "steps=2", "val_every=2") == 0
    still = ("steps=1", "val_every=1", "lr=0.0")
    for name, extra in (("same", ()), ("other", ("head=conv",))):
        assert run(data, tmp_path / name, *still, *extra, backbone=tmp_path / "first") == 0
    states = {name: load_model(tmp_path / name)[0].state_dict() for name in ("first", "same", "other")}
    learnt = [key for key, value in states["first"].items() if key.startswith("head.") and "running" not in key]
    learnt = [key for key in learnt if "num_batches" not in key]
    assert all(torch.equal(states["first"][key], states["same"][key]) for key in learnt)
    assert states["other"].keys() != states["first"].keys()


def test_a_group_in_two_splits_is_refused_by_name(data, tmp_path, capsys):
    leaking = tmp_path / "leaking"
    leaking.mkdir()
    for name in ("images", "labels", "dataset.toml"):
        (leaking / name).symlink_to(data / name)
    (leaking / "splits.csv").write_text("name,group,split\n0,lowlands,train\n1,b,train\n2,lowlands,val\n")
    assert run(leaking, tmp_path / "m") == 1
    text = capsys.readouterr().err
    assert "'lowlands'" in text and "'train'" in text and "'val'" in text


@pytest.mark.parametrize(
    ("settings", "backbone"),
    [
        (("surprise=1",), "none"),
        (("class_weights=all",), "none"),
        (("augment.window=64",), "none"),  # crops of labels have no such geometry
        (("augment.rot90=true",), "none"),
        (("augment.pairs=0.5",), "none"),
        (("steps=0",), "none"),
        (("head=forest",), "none"),
        (("precision=half",), "none"),
        (("name=My Model",), "none"),
        (("head_dim=2000",), "none"),
        (("device=gpu",), "none"),
        (("label_smoothing=2",), "none"),
        ((), "nowhere"),
    ],
)
def test_refusals_are_one_line(data, tmp_path, capsys, settings, backbone):
    assert run(data, tmp_path / "m", *settings, backbone=backbone) == 1
    text = capsys.readouterr().err
    assert text.startswith("error: ") and text.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_a_used_run_folder_is_not_overwritten(data, tmp_path, capsys):
    assert run(data, tmp_path / "m", "steps=1", "val_every=1") == 0
    assert run(data, tmp_path / "m", "steps=1", "val_every=1") == 1
    assert "--resume" in capsys.readouterr().err


def test_crops_and_labels_are_mirrored_together(data):
    """In this data backscatter depends on the label of each pixel."""
    start_bands = ModelConfig().bands
    chips = load_data([data], start_bands, FinetuneConfig()).train
    plain = CropAugmentConfig(speckle=0.0, band_drop=0.0, gain_common_db=0.0, gain_band_db=0.0)
    inputs, targets = CropSampler(chips, start_bands, 32, plain, seed=1).batch(0, 16)
    again, _ = CropSampler(chips, start_bands, 32, plain, seed=1).batch(0, 16)
    assert torch.equal(inputs, again)
    water = targets == 1
    assert float(inputs[:, 0][water].mean()) < -1 < 0 < float(inputs[:, 0][~water].mean())


def test_chips_smaller_than_a_crop_are_continued(data):
    chips = load_data([data], ModelConfig().bands, FinetuneConfig()).train
    inputs, targets = CropSampler(chips, ModelConfig().bands, 64, CropAugmentConfig(), seed=1).batch(0, 2)
    assert inputs.shape == (2, 2, 64, 64) and targets.shape == (2, 64, 64) and inputs.isfinite().all()


def test_data_without_legend_or_labels_is_refused(data, tmp_path):
    (tmp_path / "images").symlink_to(data / "images")
    with pytest.raises(InputError, match="legend"):
        load_data([tmp_path], ModelConfig().bands, FinetuneConfig())
    (tmp_path / "dataset.toml").write_text(TOML)
    with pytest.raises(InputError, match="labelled"):
        load_data([tmp_path], ModelConfig().bands, FinetuneConfig())


@pytest.mark.parametrize("name", ["finetune_small", "bundled_model"])
def test_recipes_resolve_and_only_the_bundled_one_names_data(name):
    config = resolve(FinetuneConfig, load_recipe(name))
    assert (config.name == "my-model") == (not config.trained_on) == (name == "finetune_small")
