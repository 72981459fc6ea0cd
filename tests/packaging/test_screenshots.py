"""The pictures of the guide are small enough, and QGIS finds the plugin and its backend in the home folder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sardino_qgis.environment import store
from tools import screenshots


def test_a_picture_becomes_small_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    smooth = np.clip(np.linspace(0, 255, 700)[None, :, None] + rng.normal(0, 2, (500, 700, 3)), 0, 255)
    Image.fromarray(smooth.astype(np.uint8)).save(tmp_path / "large.png")
    size = screenshots.squeeze(tmp_path / "large.png", tmp_path / "small.png")
    assert (
        size
        == (tmp_path / "small.png").stat().st_size
        <= screenshots.MAX_BYTES
        < (tmp_path / "large.png").stat().st_size
    )
    small = np.asarray(Image.open(tmp_path / "small.png").convert("RGB")).astype(float)
    assert np.abs(small - smooth).mean() < 8


def test_a_picture_that_stays_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (90, 90)).save(tmp_path / "a.png")
    monkeypatch.setattr(screenshots, "MAX_BYTES", 10)
    with pytest.raises(screenshots.ScreenshotError, match="too large"):
        screenshots.squeeze(tmp_path / "a.png", tmp_path / "b.png")


def test_the_home_folder_holds_plugin_backend_and_scene(tmp_path: Path) -> None:
    screenshots.make_home(tmp_path)
    profile = tmp_path / ".local/share/QGIS/QGIS3/profiles/default"
    assert (profile / "python/plugins/sardino_qgis/metadata.txt").is_file()
    assert "sardino_qgis=true" in (profile / "QGIS/QGIS3.ini").read_text()
    python = store.current_interpreter(profile / "sardino" / "env")
    assert python.exists() and python.resolve() == Path(sys.executable).resolve()
    assert {path.name for path in tmp_path.glob("*.tif")} == {"simulated_s1.tif", "simulated_s1_labels.tif"}


@pytest.mark.skipif(not shutil.which("xvfb-run"), reason="no virtual screen here")
def test_a_qgis_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "qgis").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "qgis").chmod(0o755)
    monkeypatch.setattr(screenshots, "ensure_screen", lambda: str(tmp_path / "qgis"))
    with pytest.raises(screenshots.ScreenshotError, match="status 3"):
        screenshots.take(tmp_path, tmp_path)
