"""Test the wheel: built offline, installed apart from the checkout, and run by its command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import rasterio

from backend import __version__
from backend.card.registry import DEFAULT_MODEL

ROOT = Path(__file__).resolve().parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy: setuptools writes into the source folder, and packs files of older builds."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("backend", "training", "resources", "requirements"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target), str(source)]
    subprocess.run(command, check=True)
    (found,) = target.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run([*PIP, "install", "--quiet", "--no-deps", "--target", str(folder), str(wheel)], check=True)
    return folder


def sardino(installed: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the installed command; the checkout is not on its path."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    command = [str(installed / "bin" / "sardino"), *map(str, words)]
    return subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)


def test_a_wheel_holds_every_module_and_what_it_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {p.relative_to(ROOT).as_posix() for tree in ("backend", "training") for p in (ROOT / tree).rglob("*.py")}
    recipes = {p.relative_to(ROOT).as_posix() for p in (ROOT / "training" / "recipes").glob("*.toml")}
    bundled = f"backend/resources/models/{DEFAULT_MODEL}"
    data = {f"{bundled}/card.json", f"{bundled}/model.safetensors", "backend/resources/geoid/egm96.tif"}
    typed = {"backend/py.typed", "training/py.typed"}
    assert modules | recipes | data | typed | {"training/study/report.md.j2"} <= names
    assert not [
        name for name in names if name.split("/")[0] not in ("backend", "training") and ".dist-info/" not in name
    ]
    assert wheel.name.startswith(f"sar_land_cover_dino-{__version__}-")


def test_the_installed_command_maps_a_scene(installed: Path, sample_scene: Path, tmp_path: Path) -> None:
    done = sardino(installed, "landcover", sample_scene, tmp_path / "map.tif", "--progress", "none")
    assert (done.returncode, done.stderr) == (0, "")
    with rasterio.open(tmp_path / "map.tif") as made, rasterio.open(sample_scene) as scene:
        assert made.shape == scene.shape and made.transform == scene.transform and made.read(1).any()


def test_the_installed_command_knows_its_version_and_usage(installed: Path) -> None:
    assert sardino(installed, "--version").stdout == f"{__version__}\n"
    wrong = sardino(installed, "landcover")
    assert wrong.returncode == 2 and wrong.stderr.startswith("usage: sardino landcover")
    refused = sardino(installed, "landcover", "no.tif", "o.tif")
    assert refused.returncode == 1 and refused.stderr.startswith("error: ")
    where = sardino(installed, "info").stdout
    assert str(installed / "backend" / "resources" / "models") in where and str(ROOT) not in where


def test_an_installed_recipe_is_found_by_its_name(installed: Path) -> None:
    code = "import training.run.config as c; print(c.__file__, sorted(c.load_recipe('cpu_small')))"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=True)
    assert str(installed) in done.stdout and "optim" in done.stdout
