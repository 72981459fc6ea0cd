"""Fine-tuning learns, resumes, keeps its word about frozen parts, and writes what the backend runs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
import torch
from rasterio.transform import from_origin

from backend.errors import InputError
from backend.weights import load_model
from training.config import load_recipe, resolve
from training.evaluate import main as evaluate_main
from training.finetune import main
from training.finetune_settings import FinetuneConfig
from training.finetuner import Finetuner, class_weights, parameter_groups
from training.labelled import CropSampler, LabelledChip
from training.landcover_data import load_data
from training.settings import CropConfig, ModelConfig
from training.start import start_from

TOML = """
[[bands]]
name = "VV"
[[bands]]
name = "VH"
[[classes]]
value = 10
name = "Tree cover"
color = "#006400"
[[classes]]
value = 50
name = "Built-up"
color = "#fa0000"
[[classes]]
value = 80
name = "Permanent water bodies"
color = "#0064c8"
"""

SMALL = [
    'model.arch={timm="vit_tiny_patch16_224",embed_dim=32,depth=2,heads=2}', "model.patch=8", "model.tile=32",
    "tile=32", "head_dim=32", "batch=8", "device=cpu", "augment.band_drop=0.0", "augment.speckle=0.0",
]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two classes told apart by level alone: trees left or right of water. The third class never occurs."""
    root = tmp_path_factory.mktemp("data")
    (root / "images").mkdir()
    (root / "labels").mkdir()
    rng = np.random.default_rng(0)
    rows = ["name,group,split"]
    for i in range(10):
        water = np.zeros((48, 48), dtype=bool)
        water[:, rng.integers(12, 36) :] = True
        water = water[:, ::-1] if i % 2 else water
        vv = np.where(water, -20, -8) + rng.normal(0, 2, water.shape)
        profile = {"driver": "GTiff", "height": 48, "width": 48, "crs": "EPSG:32630"}
        profile["transform"] = from_origin(5e5, 4e6, 10, 10)
        with rasterio.open(root / "images" / f"{i}.tif", "w", count=2, dtype="float32", **profile) as file:
            file.write(np.stack([vv, vv - 6]).astype(np.float32))
            file.descriptions = ("VV", "VH")
        with rasterio.open(root / "labels" / f"{i}.tif", "w", count=1, dtype="uint8", **profile) as file:
            file.write(np.where(water, 80, 10).astype(np.uint8), 1)
        rows.append(f"{i},{i},{'val' if i > 6 else 'train'}")
    (root / "splits.csv").write_text("\n".join(rows) + "\n")
    (root / "dataset.toml").write_text(TOML)
    return root


def run(data, out, *settings, backbone="none", resume=False):
    arguments = ["--backbone", str(backbone), "--data", str(data), "--out", str(out)]
    for setting in [*SMALL, *settings]:
        arguments += ["--set", setting]
    return main([*arguments, *(["--resume"] if resume else [])])


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


def test_a_resumed_run_ends_where_a_straight_one_does(data, tmp_path, monkeypatch):
    settings = ("steps=6", "val_every=3")
    assert run(data, tmp_path / "straight", *settings) == 0
    seen = []
    original = Finetuner.step

    def interrupted(self, step, inputs, targets):
        seen.append(step)
        if len(seen) == 4:
            raise KeyboardInterrupt  # as if killed: nothing is saved at this moment
        loss = original(self, step, inputs, targets)
        self.save(tmp_path / "broken.run" / "checkpoint", step + 1)
        return loss

    monkeypatch.setattr(Finetuner, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "broken", *settings)
    monkeypatch.setattr(Finetuner, "step", original)
    assert run(data, tmp_path / "broken", *settings, resume=True) == 0
    assert (tmp_path / "straight/model.safetensors").read_bytes() == (
        tmp_path / "broken/model.safetensors"
    ).read_bytes()


def test_a_random_frozen_backbone_stays_as_it_was(data, tmp_path):
    assert run(data, tmp_path / "m", "steps=3", "val_every=3", backbone="random-frozen") == 0
    model, _ = load_model(tmp_path / "m")
    torch.manual_seed(0)
    config = ModelConfig(**{"arch": model_arch(), "patch": 8, "tile": 32})
    fresh = start_from("random-frozen", config, "decoder", 32, 32, 2).model
    for name, value in fresh.backbone.state_dict().items():
        assert torch.equal(value, model.backbone.state_dict()[name]), name
    assert not torch.equal(fresh.head.classify.weight, model.head.classify.weight)


def model_arch():
    from backend.card import Arch

    return Arch("vit_tiny_patch16_224", 32, 2, 2)


def test_a_model_can_be_tuned_further_and_its_tile_is_kept(data, tmp_path, capsys):
    assert run(data, tmp_path / "first", "steps=2", "val_every=2") == 0
    assert run(data, tmp_path / "second", "steps=1", "val_every=1", backbone=tmp_path / "first") == 0
    assert run(data, tmp_path / "third", "tile=48", backbone=tmp_path / "first") == 1
    assert "48" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "backbone"),
    [(("surprise=1",), "none"), (("class_weights=all",), "none"), (("augment.rot90=true",), "none"), ((), "nowhere")],
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


def test_blocks_learn_slower_the_deeper_they_lie(data):
    start = start_from("none", ModelConfig(arch=model_arch(), patch=8, tile=32), "decoder", 32, 32, 2)
    config = FinetuneConfig(tile=32, layer_decay=0.5)
    scale = {id(p): group["scale"] for group in parameter_groups(start, config) for p in group["params"]}
    decay = {id(p): group["weight_decay"] for group in parameter_groups(start, config) for p in group["params"]}
    backbone = start.model.backbone
    assert scale[id(backbone.patch_embed.proj.weight)] == 0.125
    assert scale[id(backbone.blocks[0].mlp.fc1.weight)] == 0.25
    assert scale[id(backbone.blocks[1].mlp.fc1.weight)] == 0.5
    assert scale[id(start.model.head.classify.weight)] == 1
    assert decay[id(backbone.pos_embed)] == decay[id(backbone.blocks[0].norm1.weight)] == 0
    assert decay[id(backbone.blocks[0].mlp.fc1.weight)] == config.weight_decay
    assert len(scale) == len(list(start.model.parameters()))


def test_class_weights_average_to_one_over_pixels():
    chip = LabelledChip(np.zeros((2, 1, 10), np.float16), np.array([[0] * 8 + [1] * 2], dtype=np.int16), 0.0)
    for how in ("none", "sqrt", "inverse"):
        weights = class_weights([chip], 2, how)
        assert float(weights @ torch.tensor([0.8, 0.2])) == pytest.approx(1)
    assert class_weights([chip], 2, "inverse")[1] == pytest.approx(4 * float(class_weights([chip], 2, "inverse")[0]))


def test_crops_and_labels_are_mirrored_together(data):
    """Backscatter follows the label pixel by pixel in this data, in every crop."""
    start_bands = ModelConfig().bands
    chips = load_data([data], start_bands).train
    plain = CropConfig(speckle=0.0, band_drop=0.0, gain_common_db=0.0, gain_band_db=0.0)
    inputs, targets = CropSampler(chips, start_bands, 32, plain, seed=1).batch(0, 16)
    again, _ = CropSampler(chips, start_bands, 32, plain, seed=1).batch(0, 16)
    assert torch.equal(inputs, again)
    water = targets == 1
    assert float(inputs[:, 0][water].mean()) < -1 < 0 < float(inputs[:, 0][~water].mean())


def test_chips_smaller_than_a_crop_are_continued(data):
    chips = load_data([data], ModelConfig().bands).train
    inputs, targets = CropSampler(chips, ModelConfig().bands, 64, CropConfig(), seed=1).batch(0, 2)
    assert inputs.shape == (2, 2, 64, 64) and targets.shape == (2, 64, 64) and inputs.isfinite().all()


def test_data_without_legend_or_labels_is_refused(data, tmp_path):
    (tmp_path / "images").symlink_to(data / "images")
    with pytest.raises(InputError, match="legend"):
        load_data([tmp_path], ModelConfig().bands)
    (tmp_path / "dataset.toml").write_text(TOML)
    with pytest.raises(InputError, match="labelled"):
        load_data([tmp_path], ModelConfig().bands)


@pytest.mark.parametrize("name", ["finetune_small", "bundled_model"])
def test_the_recipes_hold_settings_and_only_the_bundled_one_speaks_of_data(name):
    config = resolve(FinetuneConfig, load_recipe(name))
    assert (config.name == "my-model") == (not config.trained_on) == (name == "finetune_small")
