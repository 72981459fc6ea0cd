"""Outputs are held by locks of the operating system, not by process numbers and host names."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.core import file_lock
from backend.core.cancel import Cancel
from backend.core.claims import claim, claimed, scratch, temporary
from backend.core.errors import Cancelled, ResourceError

HOLD = """
import sys
from pathlib import Path
from backend.core.claims import claim, temporary
with claim(Path(sys.argv[1])):
    temporary(Path(sys.argv[1]), ".tif").write_text("finished")
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_run(path, repo_root, *before):
    """Start a process that holds an output and has a complete temporary file of it."""
    command = [*before, sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(command, cwd=repo_root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_second_run_is_refused_and_removes_nothing(tmp_path, repo_root):
    path = tmp_path / "o.tif"
    with another_run(path, repo_root):
        before = names(tmp_path)
        with pytest.raises(ResourceError, match="Another run is writing"), claim(path):
            pass
        assert names(tmp_path) == before and len(before) == 2


def test_a_run_in_another_container_is_seen(tmp_path, repo_root):
    """Its process number is free here, and its host name is the same."""
    separate = ["unshare", "--pid", "--fork", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*separate, "true"], capture_output=True).returncode:
        pytest.skip("needs a PID namespace")
    with another_run(tmp_path / "o.tif", repo_root, *separate):
        before = names(tmp_path)
        with pytest.raises(ResourceError), claim(tmp_path / "o.tif"):
            pass
        assert names(tmp_path) == before


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_what_a_killed_run_left_is_removed_and_blocks_nothing(tmp_path, repo_root):
    path = tmp_path / "o.tif"
    with another_run(path, repo_root) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(names(tmp_path)) == 2
    with claim(path):
        assert len(names(tmp_path)) == 1, "the lock alone"
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="flock")
def test_a_lock_that_is_held_for_a_moment_is_waited_for(tmp_path, repo_root):
    """Wait for a lock that the program holds which a killed run was starting."""
    import fcntl

    path = tmp_path / "o.tif"
    with another_run(path, repo_root) as process:
        descriptor = os.open(tmp_path / ".o.tif.sardino-lock", os.O_RDWR)
        process.kill()
        process.wait()
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        threading.Timer(0.2, os.close, [descriptor]).start()
        began = time.monotonic()
        with claim(path):
            assert 0.1 < time.monotonic() - began < 5
            assert len(names(tmp_path)) == 1, "the lock alone"


def test_who_waits_for_another_run_can_be_stopped(tmp_path, repo_root):
    path, cancel = tmp_path / "o.tif", Cancel()
    with another_run(path, repo_root):
        cancel.set()
        with pytest.raises(Cancelled), claim(path, cancel):
            pass


def test_one_output_is_held_once_in_a_process_too(tmp_path):
    path = tmp_path / "o.tif"
    with claim(path):
        with pytest.raises(ResourceError), claim(path):
            pass
        with claimed(path), claim(tmp_path / "p.tif"):
            pass
    with claimed(path), pytest.raises(ResourceError), claim(path):
        pass
    assert names(tmp_path) == []


def test_temporaries_of_other_outputs_are_kept(tmp_path):
    others = [tmp_path / name for name in ("p.tif", "o.tif.0123abcd", "xo.tif", "o.tif.radar")]
    parts = [temporary(path, ".tif") for path in others]
    folder = temporary(tmp_path / "o.tif", "")
    folder.mkdir()
    for path in (*others, *parts, folder / "card.json", temporary(tmp_path / "o.tif", ".radar.tif")):
        path.touch()
    with claim(tmp_path / "o.tif"):
        pass
    assert names(tmp_path) == sorted(path.name for path in (*others, *parts))


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_links_of_earlier_versions_are_removed(tmp_path):
    """They moved a link to a model folder aside, and could not remove it. A folder may be the only older model."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "card.json").touch()
    (tmp_path / ".own.my.host.123.sardino-old").symlink_to(tmp_path / "models")
    (tmp_path / ".own.host.12.sardino-old").symlink_to(tmp_path / "nowhere")
    kept = [".own.host.9.sardino-old", "own.host.9.sardino-old", ".own.sardino-old"]
    for name in kept:
        (tmp_path / name).mkdir()
    with claim(tmp_path / "own"):
        pass
    assert names(tmp_path) == sorted([*kept, "models"]) and (tmp_path / "models" / "card.json").exists()


def test_only_names_of_ours_are_removed(tmp_path):
    kept = [".o.tif.0123abcd.sardino-partition", ".o.tif.0123ABCD.sardino-part", ".o.tif.0123abcde.sardino-part.tif"]
    for name in kept:
        (tmp_path / name).mkdir()
    with claim(tmp_path / "o.tif"):
        pass
    assert names(tmp_path) == sorted(kept)


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("elsewhere")])
def test_what_is_no_lock_file_is_refused_and_kept(tmp_path, make):
    lock = tmp_path / ".o.tif.sardino-lock"
    make(lock)
    with pytest.raises(ResourceError, match="can't be written to"), claim(tmp_path / "o.tif"):
        pass
    assert names(tmp_path) == [lock.name]


def test_a_scratch_raster_is_named_after_the_output(tmp_path):
    cancel = Cancel()
    with scratch(tmp_path / "o.tif", ".radar", cancel) as part:
        part.touch()
        assert part.parent.name.startswith(".o.tif.") and part.name.endswith(".radar.tif")
        assert part.parent.parent == tmp_path and os.name == "nt" or part.parent.stat().st_mode & 0o77 == 0
        with claimed(tmp_path / "o.tif"):
            assert part.exists()
    assert names(tmp_path) == []


def test_names_at_the_limit_of_the_file_system(tmp_path):
    paths = [tmp_path / ("n" * 254 + end) for end in "ab"]
    with claim(paths[0]), claim(paths[1]):
        temporary(paths[0], ".tif").touch()
    with claim(paths[1]):
        pass
    assert len(names(tmp_path)) == 1
    with claim(paths[0]):
        pass
    assert names(tmp_path) == []


def test_a_lock_whose_file_was_just_removed_is_taken_again(tmp_path, monkeypatch):
    """The previous run ends after its lock file was opened here, and before it is locked."""
    path, opened = tmp_path / "lock", []
    real = file_lock._open

    def late(found):
        opened.append(real(found))
        if len(opened) == 1:
            path.unlink()
        return opened[-1]

    monkeypatch.setattr(file_lock, "_open", late)
    lock = file_lock.FileLock(path)
    assert len(opened) == 2
    with pytest.raises(BlockingIOError):
        file_lock.FileLock(path)
    lock.release()
    lock.release()
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="an open file can't be removed there")
def test_the_lock_of_another_run_is_not_removed(tmp_path):
    """Somebody removed ours, and another run has begun."""
    path = tmp_path / "lock"
    first = file_lock.FileLock(path)
    path.unlink()
    second = file_lock.FileLock(path)
    first.release()
    assert path.exists()
    second.release()
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="flock")
def test_without_locks_nothing_is_removed(tmp_path, monkeypatch):
    import fcntl

    def none(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    part = temporary(tmp_path / "o.tif", ".tif")
    part.touch()
    with claim(tmp_path / "o.tif"):
        pass
    assert names(tmp_path) == [part.name]


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root acts for others")
def test_a_lock_that_another_user_left_blocks_nobody():
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    (folder / ".o.tif.sardino-lock").touch(0o644)
    os.seteuid(65534)
    try:
        with claim(folder / "o.tif"):
            pass
    finally:
        os.seteuid(0)
    folder.rmdir()
