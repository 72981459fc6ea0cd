"""What all tests share. Fixtures of one package's tests are in the conftest.py of its folder."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# What building and testing make in the root of the checkout; .gitignore names them.
BUILT = {"build", "dist", "runs", "__pycache__", ".qgis-settings", ".hypothesis"}
BUILT |= {f".{tool}_cache" for tool in ("pytest", "mypy", "ruff")}

# No display is needed, and QGIS aborts without this where there is none.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Texts are compared in English, whatever the developer's language.
os.environ["LC_ALL"] = "C.UTF-8"

# Timings of shared machines say nothing about a property; the same examples everywhere make failures repeatable.
settings.register_profile("house", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("house")

# The plugin's tests run in a real QGIS. Without it (make setup WITHOUT_QGIS=1) the other packages' tests still run.
HAS_QGIS = all(importlib.util.find_spec(name) for name in ("qgis", "pytest_qgis"))
pytest_plugins = ["pytest_qgis.plugin"] if HAS_QGIS else []
collect_ignore = [] if HAS_QGIS else ["plugin"]


def pytest_report_header() -> str:
    """Say in the header whether the plugin's tests take part."""
    return "QGIS: found" if HAS_QGIS else "QGIS: not found, tests/plugin is left out"


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout: the folder that holds backend/, training/ and sardino_qgis/."""
    return ROOT


@pytest.fixture(scope="session")
def sample_scene() -> Path:
    """The embedded simulated Sentinel-1 scene: VV and VH in dB, georeferenced. Read only."""
    path = ROOT / "resources" / "sample" / "simulated_s1.tif"
    assert path.is_file(), f"the embedded sample scene is missing: {path}"
    return path


@pytest.fixture(autouse=True)
def _nothing_left_in_the_checkout() -> Iterator[None]:
    """Fail a test that leaves a file in the root of the checkout, beside those that .gitignore names."""
    before = set(os.listdir(ROOT))
    yield
    left = set(os.listdir(ROOT)) - before - BUILT
    until = time.monotonic() + 2
    while left and time.monotonic() < until:  # a test of another process may have a file there for a moment
        time.sleep(0.05)
        left &= set(os.listdir(ROOT))
    assert not left, f"left in the checkout: {sorted(left)}"
