"""Refuse one of two runs that are started together in one folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.pretraining import RECIPE, command, write_folders


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
