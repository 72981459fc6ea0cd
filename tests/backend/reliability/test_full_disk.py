"""A disk fills up at the beginning, in the middle or at the end of a run: refused, and the older file is kept."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack

import numpy as np
import pytest
from rasterio.io import MemoryFile

from tests.backend.reliability import zoo
from tests.support.small_disk import leave_room, mounted, used

SIZE = 16 * 2**20
PAGE = 4096
OLDER = b"older" * 100


@pytest.fixture
def small_disk(tmp_path):
    """Return a function that mounts a small file system."""
    with ExitStack() as stack:
        yield lambda options: stack.enter_context(mounted(tmp_path / "disk", options))


@pytest.fixture
def command(tiny_model, tmp_path):
    scene = zoo.write(tmp_path / "scene.tif", zoo.scene(300, 300))
    return ["attention", scene, tmp_path / "disk" / "o.tif", "--model", tiny_model, "--progress", "json"]


def refusal(outcome) -> str:
    """Return the message of the error event; libtiff also writes to standard error, which can't be prevented."""
    assert outcome.code == 1 and not outcome.late and "Traceback" not in outcome.err, outcome
    event = json.loads(outcome.out.splitlines()[-1])
    assert event["event"] == "error" and event["hint"] and "fault of the program" not in event["hint"], outcome
    return event["message"]


def pixels(data: bytes):
    with MemoryFile(data) as memory, memory.open() as file:
        return file.read()


@pytest.mark.slow
def test_full_at_any_moment(warm, command, small_disk):
    folder = small_disk(f"size={SIZE}")
    outputs = ["--heads", "all", "--masks", folder / "m.tif", "--overwrite"]
    assert warm(*command, *outputs).code == 0
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    needed = used(folder)
    assert needed > 50 * PAGE
    refused, done_with = [], []
    for room in (0, 1, 2, 4, 8, 20, needed // PAGE // 2, *range(needed // PAGE - 8, needed // PAGE + 3, 2)):
        for path in folder.iterdir():
            path.unlink()
        (folder / "o.tif").write_bytes(OLDER)
        leave_room(folder, room * PAGE)
        done = warm(*command, *outputs)
        left = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "filler"}
        if done.code == 0:
            # Without space for a second copy blocks stay in the order in which they were written.
            for name in ("o.tif", "m.tif"):
                np.testing.assert_array_equal(pixels(left[name]), pixels(whole[name]))
            assert left.keys() == whole.keys()
            done_with.append(room)
        else:
            assert "can't be written: no space is left" in refusal(done)
            assert left == {"o.tif": OLDER}, room
            refused.append(room)
    assert len(refused) >= 7 and done_with and max(refused) < max(done_with)


def test_no_room_for_another_name(warm, command, small_disk):
    folder = small_disk(f"size={SIZE},nr_inodes=2")  # the root and one file
    (folder / "o.tif").write_bytes(OLDER)
    assert "No space left" in refusal(warm(*command, "--overwrite"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"o.tif": OLDER}


def test_a_disk_that_is_read_only(warm, command, small_disk):
    folder = small_disk(f"size={SIZE}")
    (folder / "o.tif").write_bytes(OLDER)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    assert "can't be written to (Read-only file system)" in refusal(warm(*command, "--overwrite"))
    assert "Read-only" in refusal(warm(*command[:2], folder / "new.tif", *command[3:]))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"o.tif": OLDER}


@pytest.mark.parametrize("room", [2000, 20_000, 200_000])
def test_a_quota_of_bytes(warm, command, tmp_path, room):
    """Like a full disk, but without a mount: the system limits the size of files."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "o.tif").write_bytes(OLDER)
    assert "can't be written" in refusal(warm(*command, "--heads", "all", "--overwrite", most_bytes=room))
    assert {path.name: path.read_bytes() for path in (tmp_path / "disk").iterdir()} == {"o.tif": OLDER}
