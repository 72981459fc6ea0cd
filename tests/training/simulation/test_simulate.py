"""Write simulated data folders: same bytes from a seed, aligned labels, splits by group, refusals."""

from __future__ import annotations

import csv
import errno
import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from backend.card import worldcover as lc
from backend.core.context import Context
from backend.core.errors import Cancelled, InputError, ResourceError
from training import simulate
from training.simulation.folder import SimulationRequest, split_of, write_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def digest(folder: Path) -> dict[str, str]:
    """Hash every file below ``folder``, by relative name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def layout_folder(folder: Path) -> Path:
    """Write two small coarse layouts at 30 m, partly unknown."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("alpha_30m", "beta_30m"):
        codes = np.kron(rng.choice([10, 30, 40, 50, 80], (20, 20)), np.ones((8, 8), int)).astype(np.uint8)
        codes[:10] = 0
        profile = {"driver": "GTiff", "height": 160, "width": 160, "count": 1, "dtype": "uint8", "crs": "EPSG:32632"}
        with rasterio.open(folder / f"{name}.tif", "w", transform=Affine(30, 0, 0, 0, -30, 0), **profile) as sink:
            sink.write(codes, 1)
    return folder


def test_same_seed_same_bytes_whatever_the_jobs(tmp_path: Path) -> None:
    write_folder(SimulationRequest(tmp_path / "a", 4, 7, size=64), jobs=1)
    write_folder(SimulationRequest(tmp_path / "b", 4, 7, size=64), jobs=2)
    write_folder(SimulationRequest(tmp_path / "c", 4, 8, size=64), jobs=1)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert not set(digest(tmp_path / "a").values()) & set(digest(tmp_path / "c").values())


def test_folder_without_layouts_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert simulate.main(["--out", str(out), "--scenes", "3", "--seed", "1", "--size", "80"]) == 0
    assert "3 simulated scenes" in capsys.readouterr().err
    described = tomllib.loads((out / "dataset.toml").read_text())
    assert described["simulated"] is True
    assert [(band["name"], band["unit"]) for band in described["bands"]] == [("VV", "db"), ("VH", "db")]
    assert described["ignore_value"] == 0
    assert {entry["value"] for entry in described["classes"]} == set(lc.CODES)
    images = sorted((out / "images").iterdir())
    assert len(images) == 3
    places = set()
    for image in images:
        with rasterio.open(image) as scene, rasterio.open(out / "labels" / image.name) as labels:
            assert scene.dtypes == ("float32", "float32") and scene.descriptions == ("VV", "VH")
            assert np.isnan(scene.nodata) and labels.nodata == 0 and labels.dtypes == ("uint8",)
            assert (scene.crs, scene.transform, scene.shape) == (labels.crs, labels.transform, labels.shape)
            assert scene.crs.is_projected and scene.res == (10.0, 10.0)
            assert "imulated" in image.name and scene.tags()["SIMULATED"] == "yes"
            values, codes = scene.read(), labels.read(1)
            assert set(np.unique(codes).tolist()) <= {0, *lc.CODES}
            assert not codes[np.isnan(values).any(0)].any()
            assert -45 < np.nanmin(values) and np.nanmax(values) < 35
            places.add(tuple(scene.bounds))
    assert len(places) == 3


def test_splits_never_part_a_group(tmp_path: Path) -> None:
    layouts = layout_folder(tmp_path / "layouts")
    request = SimulationRequest(
        tmp_path / "out", 24, 3, size=32, layouts=layouts, val_groups=("beta",), procedural_share=0.5
    )
    counts = write_folder(request)
    with open(request.out / "splits.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == sorted(path.stem for path in (request.out / "images").iterdir())
    by_group: dict[str, set[str]] = {}
    for row in rows:
        by_group.setdefault(row["group"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in by_group.values())
    assert by_group["beta_30m"] == {"val"} and by_group["alpha_30m"] == {"train"}
    assert sum(counts.values()) == 24 and set(counts) == {"train", "val"}


@pytest.mark.parametrize("scenes", [2, 7, 20, 1000])
def test_some_procedural_blocks_are_held_out(tmp_path: Path, scenes: int) -> None:
    request = SimulationRequest(tmp_path, scenes, 0)
    blocks = min(20, scenes)
    splits = [split_of(request, f"procedural-{block:02d}") for block in range(blocks)]
    assert splits.count("val") == max(1, round(0.1 * blocks))


def test_favoured_classes_are_there(tmp_path: Path) -> None:
    write_folder(SimulationRequest(tmp_path / "out", 3, 5, size=64, classes=(50,), nodata_chance=0.0))
    for path in (tmp_path / "out" / "labels").iterdir():
        with rasterio.open(path) as labels:
            assert (labels.read(1) == 50).mean() > 0.02


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="scenes is 0"):
        SimulationRequest(tmp_path, 0, 1)
    with pytest.raises(InputError, match=r"Unknown classes \[7\]"):
        SimulationRequest(tmp_path, 1, 1, classes=(7,))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.tif").touch()
    few = ["--scenes", "1", "--seed", "1"]
    assert simulate.main(["--out", str(tmp_path), *few]) == 1
    assert "holds images already" in capsys.readouterr().err
    assert simulate.main(["--out", str(tmp_path / "x"), *few, "--layouts", str(tmp_path)]) == 1
    assert "No layout raster" in capsys.readouterr().err


def test_splits_and_facts_are_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = SimulationRequest(tmp_path / "a", scenes=3, seed=1, size=16)
    context = Context()
    monkeypatch.setattr(context.reporter, "progress", lambda done, total: done == 2 and context.cancel.set())
    with pytest.raises(Cancelled):
        write_folder(request, context=context)
    assert sorted(path.name for path in request.out.iterdir()) == ["images", "labels"]

    def full(path: object, *rest: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    request = SimulationRequest(tmp_path / "b", scenes=1, seed=1, size=16)
    with pytest.raises(ResourceError, match=r"splits\.csv can't be written: No space left"):
        write_folder(request)
    assert sorted(path.name for path in request.out.iterdir()) == ["images", "labels"]
