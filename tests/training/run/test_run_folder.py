"""Refuse one of two runs that are started together in one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.errors import InputError, ResourceError
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


@pytest.mark.parametrize("content", [None, "[]", '{"model_type": "vit"}', "[" * 100_000])
def test_a_folder_that_no_run_made_is_refused_as_it_is(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "photos.zip").touch()
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    found = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match="and other files, which no run made" if content else "photos.zip, which no"):
        with run_folder.claim_run(tmp_path, None, {}, resume=False):
            pass
    assert sorted(tmp_path.iterdir()) == found
    with pytest.raises(InputError, match="is not a folder"):
        with run_folder.claim_run(tmp_path / "photos.zip", None, {}, resume=False):
            pass


def test_a_run_without_a_checkpoint_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"config": {}}))
    (tmp_path / "log.csv").touch()
    (tmp_path / ".DS_Store").touch()
    with run_folder.claim_run(tmp_path, None, {}, resume=False):
        pass
