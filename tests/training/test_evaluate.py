"""Check that an evaluation scores the maps and probabilities of users, and refuses splits that leak."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
import torch
from rasterio.transform import from_origin
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from backend.card.arch import Arch
from backend.card.model_card import LandCoverClass, ModelCard
from backend.engines import portable
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.network.vit import build_model
from backend.network.weights import save_model
from backend.radiometry.units import Units
from training import evaluate as module
from training.data.dataset import ChipFolder
from training.evaluate import main
from training.run.common_config import ModelConfig

LEGEND = {10: "Tree cover", 40: "Cropland", 30: "Grassland", 80: "Permanent water bodies"}
SIZES = {"north": (40, 56), "south": (64, 33), "west": (48, 48)}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    card = ModelCard(
        schema_version=1, name="random", title="Random weights", bands=ModelConfig().bands, product="gamma0",
        gsd_m=10.0, arch=Arch("vit_tiny_patch16_224", 32, 2, 2, head="linear"), tile=32, patch=8, trained_on=(),
        classes=tuple(LandCoverClass(value, name, "#006400") for value, name in LEGEND.items()),
    )  # fmt: skip
    torch.manual_seed(0)
    network = build_model(card)
    with torch.no_grad():
        network.head.project.weight.mul_(4)  # opinions strong enough to differ from place to place
    folder = tmp_path_factory.mktemp("models") / "random"
    save_model(folder, network, card)
    return folder


@pytest.fixture
def data(tmp_path):
    """Write three places with labels of the model's classes and of an unknown class, and with holes."""
    root = tmp_path / "data"
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, (height, width) in SIZES.items():
        # VV above VH in all blocks, by different amounts.
        levels = rng.normal(-15, 5, (1, 8, 8)) + rng.normal(0, 1, (2, 8, 8)) + [[[3.5]], [[-3.5]]]
        db = np.repeat(np.repeat(levels, 8, axis=1), 8, axis=2)[:, :height, :width]
        label = rng.choice([0, 10, 40, 30, 80, 50], (height, width)).astype(np.uint8)
        profile = {"driver": "GTiff", "height": height, "width": width, "crs": "EPSG:32630"}
        profile["transform"] = from_origin(5e5, 4e6, 10, 10)
        with rasterio.open(
            root / "images" / f"{name}.tif", "w", count=2, dtype="float32", nodata=-99, **profile
        ) as file:
            db[:, :3] = -99
            file.write(db.astype(np.float32))
            file.descriptions = ("VV", "VH")
        with rasterio.open(root / "labels" / f"{name}.tif", "w", count=1, dtype="uint8", **profile) as file:
            file.write(label, 1)
    (root / "dataset.toml").write_text('[[bands]]\nname = "VV"\n[[bands]]\nname = "VH"\n')
    (root / "splits.csv").write_text("name,group,split\nnorth,a,test\nsouth,b,test\nwest,c,val\n")
    return root


def pixels(model, data, folder, name):
    """Return labels, mapped values and probabilities of the labelled pixels, by the users' command."""
    output, shares = folder / f"{name}.tif", folder / f"{name}_p.tif"
    landcover(Request(str(data / "images" / f"{name}.tif"), output, model, units=Units.DB), probabilities=shares)
    arrays = []
    for path in (data / "labels" / f"{name}.tif", output, shares):
        with rasterio.open(path) as source:
            arrays.append(source.read())
    label, mapped, shares_of = arrays[0][0], arrays[1][0], arrays[2]
    keep = (label > 0) & (mapped > 0)
    return label[keep], mapped[keep], shares_of[:, keep]


def scored(model, data, folder, *arguments):
    path = folder / "scores.json"
    assert main([str(model), str(data), "--device", "cpu", "--json", str(path), *arguments]) == 0
    return json.loads(path.read_text())


def test_scores_are_those_of_the_pixels_that_users_get(model, data, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 16)  # images are counted in more than one piece
    found = scored(model, data, tmp_path, "--split", "test")
    assert list(found["images"]) == ["north", "south"] and found["split"] == "test" and found["model"] == "random"
    values = [*LEGEND, 50]
    assert found["all"]["confusion"]["names"] == [*LEGEND.values(), "50"]
    parts = [pixels(model, data, tmp_path, name) for name in ("north", "south")]
    label, mapped, shares = (np.concatenate(item, axis=-1) for item in zip(*parts))
    assert len(np.unique(mapped)) > 2
    assert found["all"]["confusion"]["counts"] == confusion_matrix(label, mapped, labels=values).tolist()
    assert found["all"]["overall_accuracy"] == pytest.approx(accuracy_score(label, mapped))
    assert found["all"]["mean_iou"] == pytest.approx(jaccard_score(label, mapped, average="macro", zero_division=0))

    reference = pytest.importorskip("torchmetrics.functional.classification").multiclass_calibration_error
    truth = torch.tensor([values.index(v) for v in label])
    known = torch.from_numpy(np.concatenate([shares, np.zeros_like(shares[:1])]).T)  # the model gives built-up nothing
    expected = float(reference(known, truth, 5, n_bins=15))
    assert found["all"]["calibration"]["expected_error"] == pytest.approx(expected, abs=1e-5)
    first = reference(known[: len(parts[0][0])], truth[: len(parts[0][0])], 5, n_bins=15)
    assert found["images"]["north"]["calibration"]["expected_error"] == pytest.approx(float(first), abs=1e-5)

    groups = np.array([0, 1, 1, 2, 3])  # tree, open, open, water, built: crop and grass are one
    united = np.stack([shares[0], shares[1] + shares[2], shares[3], np.zeros_like(shares[0])])
    truth, chosen = groups[truth.numpy()], united.argmax(axis=0)
    assert found["merged"]["all"]["confusion"]["names"] == ["tree", "open", "water", "built"]
    of_map = groups[[values.index(v) for v in mapped]]
    assert found["merged"]["all"]["overall_accuracy"] == pytest.approx(accuracy_score(truth, of_map))
    assert found["summed"]["all"]["overall_accuracy"] == pytest.approx(accuracy_score(truth, chosen))
    expected = float(reference(torch.from_numpy(united.T.copy()), torch.from_numpy(truth), 4, n_bins=15))
    assert found["summed"]["all"]["calibration"]["expected_error"] == pytest.approx(expected, abs=1e-5)
    assert not np.array_equal(of_map, chosen)  # or this test could not tell the two apart


def test_the_model_is_loaded_once_and_each_image_read_once(model, data, tmp_path, monkeypatch):
    calls = {"load": 0, "make": 0, "read": 0}

    def counted(name, function):
        def call(*arguments):
            calls[name] += 1
            return function(*arguments)

        return call

    monkeypatch.setattr(portable, "read_graph", counted("load", portable.read_graph))
    monkeypatch.setattr(portable.PortableEngine, "_make", counted("make", portable.PortableEngine._make))
    monkeypatch.setattr(ChipFolder, "read", counted("read", ChipFolder.read))
    assert len(scored(model, data, tmp_path)["images"]) == 3
    assert calls == {"load": 1, "make": 1, "read": 3}


def test_all_images_without_a_split_and_what_is_printed(model, data, tmp_path, capsys):
    found = scored(model, data, tmp_path, "--picture", str(tmp_path / "look.png"))
    text = capsys.readouterr().out
    assert list(found["images"]) == ["north", "south", "west"]
    assert sum(image["pixels"] for image in found["images"].values()) == found["all"]["pixels"]
    for word in ("ECE", "precision", "recall", "Cropland", "merged groups", "west"):
        assert word in text
    for name in ("look.png", "look-scores.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_bands_are_read_as_dataset_toml_names_them(model, data, tmp_path):
    before = scored(model, data, tmp_path, "--split", "test")
    for path in (data / "images").glob("*.tif"):
        with rasterio.open(path, "r+") as file:
            file.write(file.read()[::-1])
            file.descriptions = ("", "")
    (data / "dataset.toml").write_text('[[bands]]\nname = "VH"\nunit = "db"\n[[bands]]\nname = "VV"\nunit = "db"\n')
    assert scored(model, data, tmp_path, "--split", "test") == before


def test_values_that_dataset_toml_calls_no_data_are_not_counted(model, data, tmp_path):
    before = scored(model, data, tmp_path)["all"]["pixels"]
    with rasterio.open(data / "images" / "north.tif", "r+") as file:
        values = file.read()
        values[:, :8] = -25
        file.write(values)
    facts = data / "dataset.toml"
    facts.write_text("nodata = [-25]\n" + facts.read_text())
    assert scored(model, data, tmp_path)["all"]["pixels"] < before


def test_values_that_dataset_toml_changes_are_refused(model, data, capsys):
    facts = data / "dataset.toml"
    facts.write_text('relative = "offset"\n' + facts.read_text())
    assert main([str(model), str(data)]) == 1
    assert "as they are" in capsys.readouterr().err


def test_a_class_with_the_name_of_a_group_is_not_in_it():
    legend = [LandCoverClass(i, n, "#000000", g) for i, (n, g) in enumerate([("a", "x"), ("b", "x"), ("x", "")], 1)]
    assert module.groups_of(legend) == ["x", "x", "x (class 3)"]


def test_a_legend_of_its_own_is_merged_by_its_own_groups(model, data, tmp_path):
    """Two classes of the model have the group fields in the card; the model decides by it, and so does "summed"."""
    own = tmp_path / "own"
    shutil.copytree(model, own)
    card = json.loads((own / "card.json").read_text())
    for number, (item, group) in enumerate(zip(card["classes"], ("", "fields", "fields", ""))):
        item.update(value=number + 1, group=group)
    (own / "card.json").write_text(json.dumps(card))
    for path in (data / "labels").glob("*.tif"):
        with rasterio.open(path, "r+") as file:
            file.write(np.array([0, 1, 2, 3, 4, 9])[np.searchsorted([0, 10, 30, 40, 50, 80], file.read(1))], 1)
    found = scored(own, data, tmp_path)
    names = ["Tree cover", "fields", "Permanent water bodies", "9"]
    assert found["merged"]["all"]["confusion"]["names"] == found["summed"]["all"]["confusion"]["names"] == names
    assert found["merged"]["all"]["confusion"]["counts"] == found["summed"]["all"]["confusion"]["counts"]
    assert found["summed"]["all"]["calibration"]["pixels"] == found["all"]["pixels"]


def test_some_of_the_images_are_spread_over_all(model, data, tmp_path):
    assert list(scored(model, data, tmp_path, "--images", "2")["images"]) == ["north", "south"]
    assert list(scored(model, data, tmp_path, "--images", "9")["images"]) == ["north", "south", "west"]


def test_a_legend_of_its_own_has_no_groups(model, data, tmp_path):
    with rasterio.open(data / "labels" / "west.tif", "r+") as file:
        file.write(np.full(SIZES["west"], 7, dtype=np.uint8), 1)
    found = scored(model, data, tmp_path, "--split", "val")
    assert "merged" not in found and "summed" not in found and found["all"]["overall_accuracy"] == 0


@pytest.mark.parametrize("arguments", [[], ["--split", "test"], ["--split", "val"]])
def test_a_group_in_two_splits_is_refused_by_name(model, data, capsys, arguments):
    (data / "splits.csv").write_text("name,group,split\nnorth,lowlands,test\nsouth,b,test\nwest,lowlands,val\n")
    assert main([str(model), str(data), *arguments]) == 1
    text = capsys.readouterr().err
    assert "'lowlands'" in text and "'test'" in text and "'val'" in text and text.count("\n") == 1


def test_nothing_labelled_is_refused(model, data, capsys):
    shutil.rmtree(data / "labels")
    assert main([str(model), str(data)]) == 1
    assert "labels/" in capsys.readouterr().err


def test_scores_replace_older_ones_whole(model, tmp_path, monkeypatch, capsys):
    scores, kept = tmp_path / "scores.json", tmp_path / "kept.json"
    scores.write_text("older")
    kept.hardlink_to(scores)
    monkeypatch.setattr(module, "evaluate", lambda *given: SimpleNamespace(summary=lambda: {"all": 1}))
    words = [str(model), str(tmp_path), "--json", str(scores), "--progress", "json"]
    assert main(words) == 0 and json.loads(scores.read_text())["all"] == 1
    assert kept.read_text() == "older", "not written in place"
    (tmp_path / "folder").mkdir()
    words[3] = str(tmp_path / "folder")
    assert main(words) == 1 and "folder can't be written" in capsys.readouterr().out
