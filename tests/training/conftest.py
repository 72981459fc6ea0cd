"""Share fixtures of all tests of training."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _cache_of_its_own() -> Iterator[None]:
    """Use a temporary cache folder, also for child processes, so that the user's cache is not changed."""
    before = os.environ.get("SARDINO_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SARDINO_CACHE"] = folder
        yield
    if before is None:
        del os.environ["SARDINO_CACHE"]
    else:
        os.environ["SARDINO_CACHE"] = before


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The smallest recipe of a pre-training."""
    from tests.support.pretraining import RECIPE

    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def data(tmp_path: Path) -> list[Path]:
    """Folders of scenes to pre-train on."""
    from tests.support.pretraining import write_folders

    return write_folders(tmp_path)
