"""Refuse one of two runs that are started together in one folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.errors import ResourceError
from tests.support.pretraining import RECIPE, command, write_folders
from training.run import run_folder


def test_of_two_runs_started_together_one_is_refused(tmp_path: Path, repo_root: Path) -> None:
    recipe, run = tmp_path / "tiny.toml", tmp_path / "run"
    recipe.write_text(RECIPE)
    words = command(recipe, write_folders(tmp_path), run, "optim.steps=60", "run.checkpoint_every_s=0")
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "training.pretrain", *words], cwd=repo_root, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=180)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    refused = said[0] if both[0].returncode else said[1]
    assert "Another run is writing" in refused or "holds a run already" in refused
    assert len((run / "log.csv").read_text().splitlines()) == 1 + 60


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("name", ["link", "./run/../run", "."])
def test_a_folder_is_held_under_all_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    monkeypatch.setattr(run_folder, "WAIT_S", 0.3)
    monkeypatch.chdir(tmp_path / "run" if name == "." else tmp_path)
    with run_folder.claim_run(tmp_path / "run", None, {}, resume=False):
        with pytest.raises(ResourceError, match="Another run"), run_folder.claim_run(Path(name), None, {}, False):
            pass
    with run_folder.claim_run(Path(name), None, {}, resume=False):
        pass
