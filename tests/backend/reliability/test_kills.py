"""Runs are killed (SIGKILL) at random instants: each output is absent, complete, or the older one."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.backend.reliability import zoo

KILLS = 50 if os.environ.get("SARDINO_THOROUGH") else 16
OLDER = b"what was here before"


@pytest.fixture
def command(tiny_model, tmp_path):
    """Return a run of about half a second, with three outputs and overviews."""
    scene = zoo.write(tmp_path / "scene.tif", np.tile(zoo.scene(), (1, 7, 6)))
    (tmp_path / "out").mkdir()
    outputs = ["--confidence", tmp_path / "out" / "c.tif", "--probabilities", tmp_path / "out" / "p.tif"]
    return ["landcover", scene, tmp_path / "out" / "o.tif", *outputs, "--model", tiny_model, "--progress", "none"]


def content(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.slow
def test_killed_at_any_instant(warm, command, tmp_path):
    folder = tmp_path / "out"
    seconds = []
    for _ in range(2):
        whole = warm(*command, "--overwrite")
        assert whole.code == 0, whole
        seconds.append(whole.seconds)
    finished = content(folder)
    rasters = ("o.tif", "c.tif", "p.tif")
    rng = np.random.default_rng(20)
    fates = {"unfinished": 0, "finished": 0}
    for number in range(KILLS):
        older = number % 2 == 1
        for name in finished:
            (folder / name).unlink(missing_ok=True)
        if older:
            (folder / "o.tif").write_bytes(OLDER)
        # Half of the instants are near the end, when outputs are renamed.
        share = rng.uniform(0.75, 1.05) if number // 2 % 2 else rng.uniform(0, 1.05)
        done = warm(*command, "--overwrite", kill_after=share * min(seconds))
        assert done.code in (0, -9), done
        found = content(folder)
        for name in rasters:
            state = found.get(name)
            allowed = [finished[name], OLDER if older and name == "o.tif" else None]
            assert state in allowed, f"{name} after {share:.3f} of the run"
        fates["finished" if found.get("o.tif") == finished["o.tif"] else "unfinished"] += 1
        # The main output is renamed last: if it is new, all are.
        if found.get("o.tif") == finished["o.tif"]:
            assert all(found.get(name) == finished[name] for name in rasters)
    print(fates)
    assert fates["unfinished"] >= KILLS // 4
    assert warm(*command, "--overwrite").code == 0
    assert set(os.listdir(folder)) == finished.keys(), "what killed runs left behind has not gone"
