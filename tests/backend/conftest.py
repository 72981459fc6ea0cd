"""Rasters, a tiny model with random weights, and the command line, for the tests of the backend."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from backend.card.arch import Arch
from backend.card.model_card import Band, LandCoverClass, ModelCard

UTM10 = from_origin(500000, 4_600_000, 10, 10)


def tiny_card(**changes) -> ModelCard:
    fields = {
        "schema_version": 1,
        "name": "tiny",
        "title": "Tiny, random weights",
        "bands": (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9)),
        "product": "gamma0",
        "gsd_m": 10.0,
        "arch": Arch("vit_tiny_patch16_224", 32, 2, 2),
        "tile": 64,
        "patch": 8,
        "classes": (
            LandCoverClass(10, "Tree cover", "#006400"),
            LandCoverClass(40, "Cropland", "#f096ff"),
            LandCoverClass(80, "Permanent water bodies", "#0064c8"),
        ),
        "trained_on": ("nothing",),
    }
    return ModelCard(**{**fields, **changes})


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """Folder of a small model whose random head gives every class somewhere."""
    import torch

    from backend.network.vit import build_model
    from backend.network.weights import save_model

    torch.manual_seed(3)
    model = build_model(tiny_card())
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.mul_(8)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model(folder, model, tiny_card())
    return folder


@pytest.fixture
def make_raster(tmp_path):
    """Write a GeoTIFF from an array [bands, rows, columns]; VV and VH by name where it has two bands."""

    def make(values, name="scene.tif", descriptions=("VV", "VH"), **profile) -> Path:
        values = np.asarray(values)
        path = tmp_path / name
        defaults = {"driver": "GTiff", "crs": "EPSG:32630", "transform": UTM10, "dtype": values.dtype.name}
        count, height, width = values.shape
        with rasterio.open(path, "w", count=count, height=height, width=width, **{**defaults, **profile}) as file:
            file.write(values)
            for band, text in zip(range(1, count + 1), descriptions):
                file.set_band_description(band, text)
        return path

    return make


@pytest.fixture
def scene_db():
    """Random but structured VV and VH in dB, float32 [2, rows, columns]."""

    def scene(height, width, seed=0):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:height, :width]
        level = np.where((x // 20 + y // 20) % 2, -8.0, -18.0) + 2 * np.sin(x / 17)
        vv = level + rng.normal(0, 1.5, level.shape)
        return np.stack((vv, vv - 7 + rng.normal(0, 1, level.shape))).astype(np.float32)

    return scene


@pytest.fixture
def cli(capsys):
    """Run the command line in this process; exit code, standard output and error."""
    from backend.__main__ import main

    def call(*arguments):
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def worker_environment(repo_root):
    """Environment for a backend in a process of its own."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(repo_root)}


@pytest.fixture
def card():
    """The tiny model's card, with fields changed."""
    return tiny_card
