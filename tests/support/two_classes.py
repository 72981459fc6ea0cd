"""Write a small labelled data folder, and fine-tune on it."""

from __future__ import annotations

import csv

import numpy as np
import rasterio
import torch
from rasterio.transform import from_origin

from backend.card.arch import Arch
from training.finetune import main
from training.landcover.chips import CropSampler
from training.landcover.data import load_data
from training.landcover.finetuner import Finetuner
from training.landcover.initial_network import start_from
from training.run.common_config import ModelConfig
from training.run.finetune_config import FinetuneConfig

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


def make_folder(root):
    """Write two classes that differ in level alone, trees left or right of water. The third class never occurs."""
    (root / "images").mkdir()
    (root / "labels").mkdir()
    rng = np.random.default_rng(0)
    lines = ["name,group,split"]
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
        lines.append(f"{i},{i},{'val' if i > 6 else 'train'}")
    (root / "splits.csv").write_text("\n".join(lines) + "\n")
    (root / "dataset.toml").write_text(TOML)
    return root


def command(data, out, *settings, backbone="none", resume=False):
    arguments = ["--backbone", str(backbone), "--data", str(data), "--out", str(out)]
    for setting in [*SMALL, *settings]:
        arguments += ["--set", setting]
    return [*arguments, *(["--resume"] if resume else [])]


def run(data, out, *settings, **options):
    return main(command(data, out, *settings, **options))


def rows(out):
    with out.with_name(f"{out.name}.run").joinpath("log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def model_arch():
    return Arch("vit_tiny_patch16_224", 32, 2, 2)


def tuner_of(data, *, backbone="none", head="decoder", **settings):
    """Set up a fine-tuning as the command does, and cut its first batch."""
    torch.manual_seed(0)
    config = FinetuneConfig(
        **{"model": ModelConfig(arch=model_arch(), patch=8, tile=32), "head": head, "head_dim": 32, "tile": 32}
        | {"batch": 4, "steps": 10, "device": "cpu", "lr": 1e-2} | settings
    )  # fmt: skip
    chips = load_data([data], config.model.bands, config)
    start = start_from(str(backbone), config.model, head, 32, 32, len(chips.classes))
    tuner = Finetuner(start, chips, config)
    sampler = CropSampler(chips.train, start.bands, 32, config.augment, 0)
    return tuner, *sampler.batch(0, 4)
