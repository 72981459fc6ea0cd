"""Test command lines of training: events, exit codes, and the end of the parent process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.errors import ResourceError
from tests.support.two_classes import command, make_folder
from training.finetune import main as finetune
from training.quantise import main as quantise
from training.run.command_line import resumable
from training.simulate import main as simulate

SETTINGS = ("steps=3", "val_every=3")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("data"))


def events_in(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_training_and_quantising_report_events(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "m"
    assert finetune([*command(data, model, *SETTINGS), "--progress", "json"]) == 0
    events = events_in(capsys.readouterr().out)
    assert events[0]["event"] == "start" and events[0]["command"] == "finetune"
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == 3
    assert set(progress[-1]) == {"event", "done", "total", "eta_s", "loss", "images_per_s"}
    assert events[-1]["event"] == "result" and events[-1]["outputs"] == {"output": str(model)}
    assert quantise([str(model), str(data), "--tiles", "3", "--progress", "json"]) == 0
    assert events_in(capsys.readouterr().out)[-1]["outputs"] == {"output": str(model / "card.json")}


def test_a_refusal_is_an_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", str(tmp_path), "--scenes", "1", "--seed", "1", "--layouts", str(tmp_path / "none")]
    assert simulate([*words, "--progress", "json"]) == 1
    (event,) = events_in(capsys.readouterr().out)
    assert event["event"] == "error" and event["hint"]


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_run_whose_parent_goes_writes_a_checkpoint(data: Path, tmp_path: Path, repo_root: Path) -> None:
    settings = command(data, tmp_path / "m", "steps=100000", "checkpoint_every_s=1e9")
    words = [sys.executable, "-m", "training.finetune", *settings, "--progress", "json"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, cwd=repo_root, text=True, **pipes) as process:  # type: ignore[call-overload]
        next(line for line in process.stdout if json.loads(line)["event"] == "progress")
        process.stdin.close()
        events = events_in(process.stdout.read())
        assert process.wait(timeout=60) == 130 and process.stderr.read() == ""
    assert "Stopped after step" in events[-1]["message"] and events[-1]["hint"] == "Continue with --resume."
    assert (tmp_path / "m.run" / "checkpoint" / "state.json").is_file()


def test_an_error_of_the_disk_says_how_to_go_on() -> None:
    with pytest.raises(ResourceError, match="No space left") as caught, resumable():
        raise OSError(28, "No space left on device")
    assert "--resume" in caught.value.hint
