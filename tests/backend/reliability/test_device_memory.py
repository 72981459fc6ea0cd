"""The memory of a graphics card runs out during a run."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import torch

from backend.network.vit import SarViT
from tests.backend.reliability import zoo
from tests.support.backend.reading import read


def test_batch_is_halved_and_the_same_tiles_are_retried(cli, tiny_model, tmp_path, monkeypatch):
    scene = zoo.write(tmp_path / "scene.tif", np.tile(zoo.scene(), (1, 4, 3)))
    real, seen, refused, limits = SarViT.forward, [], [], [0]

    def forward(self, x):
        if len(x) > limits[0]:
            refused.append(len(x))
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        seen.extend(hashlib.sha256(tile.numpy().tobytes()).hexdigest() for tile in x)
        return real(self, x)

    monkeypatch.setattr(SarViT, "forward", forward)
    results = {}
    for name, batch, most in (("small", 2, 99), ("halved", 8, 3)):
        limits[0] = most
        seen.clear()
        code, out, err = cli(
            "landcover", scene, tmp_path / f"{name}.tif", "--confidence", tmp_path / f"{name}-c.tif",
            "--model", tiny_model, "--batch-size", batch, "--device", "cpu", "--engine", "pytorch",
            "--progress", "json",
        )  # fmt: skip
        assert (code, err) == (0, "")
        logs = [event["message"] for event in map(json.loads, out.splitlines()) if event["event"] == "log"]
        told = [message for message in logs if "Memory ran out" in message]
        results[name] = list(seen), told
    assert refused == [8, 4]
    assert results["small"][1] == []
    assert results["halved"][1] == ["Memory ran out; going on with batches of at most 4 tiles."]
    assert results["small"][0] == results["halved"][0] and len(set(results["small"][0])) > 8
    # Batches of another size may change the last bits of floats.
    np.testing.assert_allclose(read(tmp_path / "small-c.tif"), read(tmp_path / "halved-c.tif"), atol=1e-5)
    assert (read(tmp_path / "small.tif") == read(tmp_path / "halved.tif")).mean() > 0.999
