"""Run small pre-trainings: recipe, scenes, command, and outputs."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
import rasterio
import torch
from rasterio.transform import from_origin
from safetensors.torch import load_file

from tests.support.tiny_network import TINY
from training.run.config import load_recipe, override, resolve
from training.run.distributed import World
from training.run.pretrain_config import PretrainConfig
from training.views.crops import ViewPlan

RECIPE = f"""{TINY}[optim]
steps = 8
batch = 4
base_lr = 0.1
freeze_last_layer = 0.25
[run]
device = "cpu"
log_every = 1
[monitor]
every = 1000
pictures = 1
"""
# dB; values that no radar measures are refused.
LEVELS = {"VV": -11, "VH": -18}
ALONE = World(0, 1, torch.device("cpu"))


def write_scene(path: Path, bands: tuple[str, ...], seed: int, size: int = 48) -> None:
    """Write speckled land of one level in each band, with four rows of nodata."""
    rng = np.random.default_rng(seed)
    db = rng.normal(0, 3, (len(bands), size, size)) + [[[LEVELS[band]]] for band in bands]
    db = db.astype(np.float32)
    db[:, :4] = -9999
    profile = {
        "driver": "GTiff", "width": size, "height": size, "count": len(bands), "dtype": "float32", "nodata": -9999,
        "crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 10, 10),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **profile) as file:
        file.write(db)
        file.descriptions = bands


def write_folders(root: Path) -> list[Path]:
    """Write a folder of three scenes with VV and VH, and one of three smaller scenes with VV."""
    for seed in range(3):
        write_scene(root / "dual" / f"{seed}.tif", ("VV", "VH"), seed)
        write_scene(root / "single" / f"{seed}.tif", ("VV",), seed + 10, 24)
    return [root / "dual", root / "single"]


def config_of(*settings: str) -> PretrainConfig:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.toml"
        path.write_text(RECIPE)
        return resolve(PretrainConfig, override(load_recipe(str(path)), settings))


def command(recipe: Path, data: list[Path], out: Path, *settings: str, resume: bool = False) -> list[str]:
    words = ["--recipe", str(recipe), "--data", *map(str, data), "--out", str(out), *(["--resume"] if resume else [])]
    return words + [word for setting in settings for word in ("--set", setting)]


def tensors(run: Path) -> dict[str, torch.Tensor]:
    return load_file(next((run / "checkpoint").glob("step-*.safetensors")))


def assert_same(one: Path, other: Path) -> None:
    first, second = tensors(one), tensors(other)
    assert first.keys() == second.keys()
    assert [k for k in first if not torch.equal(first[k], second[k])] == []


def tensors_of(plan: ViewPlan) -> list[torch.Tensor]:
    """Return all tensors of a description of views."""
    own = [plan.windows, plan.seeds, *([] if plan.mask is None else [plan.mask])]
    return own + [tensor for group in plan.views for tensor in group]


def assert_same_plan(one: ViewPlan, other: ViewPlan) -> None:
    """Compare bit by bit; a missing band is NaN in both."""
    assert len(one.views) == len(other.views) and (one.mask is None) == (other.mask is None)
    for a, b in zip(tensors_of(one), tensors_of(other), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True)


def rows(run: Path) -> list[dict[str, str]]:
    """Read the rows of log.csv without the speed, which differs between runs."""
    with (run / "log.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "images_per_s"} for row in csv.DictReader(file)]
