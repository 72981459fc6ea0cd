"""Parts of cancelling that a whole run does not reach: failing clean-ups, and pipes that are polled."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from backend.core import cancel as module
from backend.core.cancel import EXIT_CANCELLED, Cancel


def test_a_failing_cleanup_stops_neither_others_nor_the_end(monkeypatch):
    done, codes = [], []
    monkeypatch.setattr(module, "GRACE_S", 0.0)
    monkeypatch.setattr(os, "_exit", codes.append)

    def fail():
        raise RuntimeError("dictionary changed size during iteration")

    cancel = Cancel()
    cancel.on_deadline(fail)
    cancel.on_deadline(lambda: done.append(True))
    cancel.set()
    cancel._enforce(threading.Event())
    assert done == [True] and codes == [EXIT_CANCELLED]


def test_what_follows_a_shielded_stretch_gets_the_whole_grace(monkeypatch):
    ends = []
    monkeypatch.setattr(module, "GRACE_S", 0.4)
    monkeypatch.setattr(os, "_exit", lambda code: ends.append(time.monotonic()))
    cancel = Cancel()
    with cancel.watching_signals():
        with cancel.shielded():
            cancel.set()
            time.sleep(0.7)
        released = time.monotonic()
        while not ends and time.monotonic() < released + 10:
            time.sleep(0.01)
    assert ends[0] - released >= 0.35


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_library_that_does_not_return(number):
    """The main thread never runs a handler: it is in a long call of C, as of GDAL."""
    code = """
import hashlib
from backend.core.cancel import Cancel
cancel = Cancel()
cancel.on_deadline(lambda: print("cleaned", flush=True))
with cancel.watching_signals():
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"a", b"b", 40_000_000)  # without the interpreter's lock, for about 20 s
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == EXIT_CANCELLED and time.monotonic() - began < 4
        assert process.stdout.read() == "cleaned\n"


def test_an_earlier_wakeup_descriptor_is_restored():
    with Cancel().watching_signals():
        assert signal.set_wakeup_fd(-1) != -1
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU"])
def test_signals_set_the_flag_and_handlers_are_restored(name):
    number, cancel = getattr(signal, name), Cancel()
    before = signal.getsignal(number)
    with cancel.watching_signals(), cancel.shielded():
        os.kill(os.getpid(), number)
        assert cancel.is_set()
    assert signal.getsignal(number) == before


@pytest.mark.skipif(os.name == "nt", reason="nohup")
def test_a_run_under_nohup_goes_on_when_its_terminal_is_closed():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        cancel = Cancel()
        with cancel.watching_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert not cancel.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.fixture
def pipe():
    ends = list(os.pipe())
    yield ends
    for end in filter(None, ends):
        os.close(end)


def test_a_pipe_is_looked_at_until_its_other_end_closes(pipe, monkeypatch):
    """As on Windows, with the poll replaced: bytes are read when they arrive, and the end sets the flag."""
    closed = threading.Event()
    looks, heard = [], []

    def waiting(descriptor):
        looks.append(descriptor)
        if len(looks) == 2:
            return 1
        if closed.is_set():
            raise OSError("The pipe has been ended.")
        return 0

    monkeypatch.setattr(module, "_bytes_waiting", waiting)
    monkeypatch.setattr(sys, "platform", "win32")
    os.write(pipe[1], b"x")
    cancel = Cancel()
    thread = threading.Thread(target=cancel._drain, args=(pipe[0], heard.append))
    thread.start()
    deadline = time.monotonic() + 30
    while len(looks) < 4 and time.monotonic() < deadline:
        assert not cancel.is_set() and thread.is_alive()
        time.sleep(0.01)
    closed.set()
    thread.join(5)
    assert cancel.is_set() and not thread.is_alive() and heard == [b"x"]
    os.set_blocking(pipe[0], False)
    with pytest.raises(BlockingIOError):
        os.read(pipe[0], 1)
