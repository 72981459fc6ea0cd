"""The packed plugin, built once."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tools import package

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.write_zip(ROOT, tmp_path_factory.mktemp("zip") / "plugin.zip")


@pytest.fixture(scope="session")
def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()
