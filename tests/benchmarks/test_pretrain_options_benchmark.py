"""The comparison of the options: it runs to a table, keeps what is finished, and sees tokens that stand out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from benchmarks.quality.pretrain_options import main, outliers_of, table


def _labelled(root: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = ["name,group,split"]
    profile = {"driver": "GTiff", "height": 64, "width": 64, "crs": "EPSG:32630"}
    profile["transform"] = from_origin(5e5, 4e6, 10, 10)
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for i in range(4):
        water = np.zeros((64, 64), dtype=bool)
        water[:, 32:] = True
        vv = np.where(water, -20, -8) + rng.normal(0, 1, water.shape)
        with rasterio.open(root / "images" / f"{i}.tif", "w", count=2, dtype="float32", **profile) as file:
            file.write(np.stack([vv, vv - 6]).astype(np.float32))
            file.descriptions = ("VV", "VH")
        with rasterio.open(root / "labels" / f"{i}.tif", "w", count=1, dtype="uint8", **profile) as file:
            file.write(np.where(water, 80, 10).astype(np.uint8), 1)
        rows.append(f"{i},{i},{'val' if i == 3 else 'train'}")
    (root / "splits.csv").write_text("\n".join(rows) + "\n")
    return root


def test_it_runs_to_a_table_and_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = _labelled(tmp_path / "data"), tmp_path / "out"
    words = ["--data", data, "--labelled", data, "--out", out, "--variants", "ibot", "--steps", 2, "--batch", 2]
    monkeypatch.setattr(sys, "argv", ["options", *map(str, words), "--rounds", "1", "--device", "cpu"])
    main()
    first = json.loads((out / "options.json").read_text())
    assert list(first["scores"]) == ["random", "base", "ibot"] and set(first["times"]) == {"base", "ibot"}
    # Water and trees 12 dB apart are told apart by tokens of any network.
    assert all(seed["knn"] > 0.95 for seeds in first["scores"].values() for seed in seeds)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("ibot | 1.000") and lines[-3].startswith("random | ") and lines[-3].endswith("| -")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    main()
    changed = {path.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed == {"options.json"}
    assert json.loads((out / "options.json").read_text())["scores"] == first["scores"]


def test_norms_that_stand_out_are_counted() -> None:
    norms = np.exp(np.random.default_rng(0).normal(2, 0.1, 10_000)).astype(np.float32)
    assert outliers_of(norms)[0] == 0
    norms[:100] *= 10
    share, largest = outliers_of(norms)
    assert share == pytest.approx(0.01) and largest == pytest.approx(13, rel=0.2)


def test_the_table_has_means_and_deviations_over_seeds() -> None:
    seeds = [{"knn": k, "logistic": 0.5, "outliers": 0.01, "largest": 2.0} for k in (0.2, 0.4)]
    assert table({"base": seeds}, {"base": 1.0}).splitlines()[-1] == (
        "base | 0.300 ± 0.141 | 0.500 ± 0.000 | 1.00% | 2.00 | 1.00"
    )
