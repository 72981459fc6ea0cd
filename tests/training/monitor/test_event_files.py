"""Check that event files hold the values of the logs once, also after a run was killed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tests.support.watched_run import SEEN, events_of, scalars_of, watched
from training.monitor.event_files import EventFiles
from training.pretrain import main
from training.run.log import read_log


def test_event_files_hold_all_columns_and_the_pictures(finished: Path) -> None:
    scalars = scalars_of(finished)
    for group, name, offset in (("train", "log", 1), ("probe", "probe", 0)):
        columns = read_log(finished / f"{name}.csv")
        steps = [int(step) + offset for step in columns.pop("step")]
        for column, values in columns.items():
            found = scalars.pop(f"{group}/{column}")
            assert [step for step, _ in found] == steps
            np.testing.assert_allclose([value for _, value in found], values, rtol=1e-4)
    assert scalars == {}
    images = {e.step: v.image for e in events_of(finished) for v in e.summary.value if v.HasField("image")}
    assert sorted(images) == SEEN
    for step, image in images.items():
        assert image.encoded_image_string == (finished / "pictures" / f"step_{step:06d}.png").read_bytes()
        assert imread(io.BytesIO(image.encoded_image_string)).shape[:2] == (image.height, image.width)


def test_a_killed_run_tells_everything_once(folder: Path, tmp_path: Path, repo_root: Path) -> None:
    run = tmp_path / "broken"
    settings = ("run.checkpoint_every_s=0", "optim.steps=30")
    process = subprocess.Popen(
        [sys.executable, "-m", "training.pretrain", *watched(folder, run, *settings)],
        cwd=repo_root,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (run / "pictures" / "step_000004.png").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = json.loads((run / "checkpoint" / "state.json").read_text())["step"]
    assert 0 < done < 28
    assert main(watched(folder, run, *settings, "monitor.every=10", resume=True)) == 0
    expected = [step for step in range(0, done + 1, 2)] + [step for step in range(10, 31, 10) if step > done]
    assert read_log(run / "probe.csv")["step"] == expected
    scalars = scalars_of(run)
    assert [step for step, _ in scalars["probe/knn_accuracy"]] == expected
    assert [step for step, _ in scalars["train/loss"]] == list(range(1, 31))


def test_without_their_package_event_files_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboardX"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert main(watched(folder, tmp_path / "run")) == 1
    assert "pip install tensorboardX" in capsys.readouterr().err
    assert main(watched(folder, tmp_path / "run", "monitor.tensorboard=false", "optim.steps=1")) == 0


def test_two_writers_of_one_second_are_two_files(tmp_path: Path) -> None:
    for done in (0, 3):
        writer = EventFiles(tmp_path / "tensorboard", done)
        for step in range(done + 1, 6):
            writer.scalars("train", step, {"loss": float(step + done)})
        writer.close()
    assert len(os.listdir(tmp_path / "tensorboard")) == 2
    assert scalars_of(tmp_path) == {"train/loss": [(1, 1.0), (2, 2.0), (3, 3.0), (4, 7.0), (5, 8.0)]}
