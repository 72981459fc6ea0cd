"""Make a small model of random weights for tests of the plugin."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from sardino_qgis.environment import locate
from sardino_qgis.environment.variables import worker_environment

CARD = {
    "schema_version": 1,
    "name": "tiny",
    "title": "Random weights",
    "bands": [
        {"name": "VV", "unit": "db", "clip": [-30.0, 5.0], "mean": -12.6, "std": 5.3},
        {"name": "VH", "unit": "db", "clip": [-35.0, 0.0], "mean": -20.3, "std": 5.9},
    ],
    "product": "gamma0",
    "gsd_m": 10.0,
    "arch": {"timm": "vit_tiny_patch16_224", "embed_dim": 16, "depth": 2, "heads": 2, "registers": 0,
             "head": "linear", "head_dim": 8},
    "tile": 32,
    "patch": 8,
    "classes": [
        {"value": 10, "name": "Tree cover", "color": "#006400"},
        {"value": 50, "name": "Built-up", "color": "#fa0000"},
        {"value": 80, "name": "Permanent water bodies", "color": "#0064c8"},
    ],
    "trained_on": ["nothing: random weights for tests"],
    "metrics": {},
    "licence": "CC0-1.0",
    "weights_sha256": "0" * 64,
}  # fmt: skip


MAKE_MODEL = """
import json, sys
from pathlib import Path
import torch
from backend.card.model_card import ModelCard
from backend.network.vit import build_model
from backend.network.weights import save_model
torch.manual_seed(1)
card = ModelCard.from_dict(json.loads(sys.argv[2]))
save_model(Path(sys.argv[1]), build_model(card), card)
"""


def write_model(folder: Path, python: str) -> None:
    """Write the model into `folder` with the interpreter `python`: torch and QGIS don't meet in this process."""
    folder.mkdir()
    command = [python, "-c", MAKE_MODEL, str(folder), json.dumps(CARD)]
    subprocess.run(command, cwd=locate.backend_root(), env=worker_environment(), check=True)
