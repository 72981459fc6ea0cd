"""Test exit codes of supervised commands, and that the calling process is restored."""

import argparse
import logging
import os
import signal
import sys
import time
import warnings

import pytest

from backend.core import cancel as cancelling
from backend.core.errors import Cancelled, InputError
from backend.core.supervise import add_progress, supervise

QUIET = argparse.Namespace(progress="none")


def fail(error):
    def run(options, context):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("No raster.", "Give one."), 1, "error: No raster. hint: Give one."),
        (Cancelled(), 130, "error: Cancelled."),
        (ZeroDivisionError("by nought\nand more"), 1, "error: Unexpected ZeroDivisionError: by nought hint: "),
    ],
)
def test_the_exception_decides_the_exit_code(error, code, words, capsys):
    assert supervise(fail(error), QUIET) == code
    err = capsys.readouterr().err
    assert err.startswith(words) and err.count("\n") == 1
    assert supervise(lambda *_: None, QUIET) == 0


def warned(at, error=None):
    """Return a run that warns at a moment: before it begins, at work, or before its result."""

    def run(options, context):
        moments = {
            "begin": lambda: context.reporter.progress(0, 2),
            "work": lambda: context.reporter.progress(1, 2),
            "result": lambda: context.reporter.result({}),
        }
        for moment, go_on in moments.items():
            if moment == at:
                context.reporter.log("info", "step 1")
                context.reporter.log("warning", "units were\nguessed")
            if error and moment == "begin":
                raise error
            go_on()

    return run


@pytest.mark.parametrize("at", ["begin", "work", "result"])
@pytest.mark.parametrize(("progress", "said"), [("none", "warning: units were guessed\n"), ("silent", "")])
def test_progress_none_keeps_warnings(progress, said, at, capsys):
    assert supervise(warned(at), argparse.Namespace(progress=progress)) == 0
    assert capsys.readouterr() == ("", said)


def test_warnings_between_two_parts_of_the_work_are_not_lost(capsys):
    def run(options, context):
        context.reporter.progress(1, 2)
        context.reporter.restart()
        context.reporter.log("warning", "units were guessed")
        raise InputError("No raster.", "Give one.")

    assert supervise(run, QUIET) == 1
    assert capsys.readouterr().err.splitlines()[0] == "warning: units were guessed"


def test_a_refusal_stays_one_line_without_progress(capsys):
    assert supervise(warned("begin", InputError("No raster.", "Give one.")), QUIET) == 1
    assert capsys.readouterr().err == "error: No raster. hint: Give one.\n"


def test_silence_is_no_choice(capsys):
    parser = argparse.ArgumentParser()
    add_progress(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--progress", "silent"])
    assert "silent" not in capsys.readouterr().err.partition("choose from")[2]


def test_process_state_is_restored(capsys):
    def state():
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        stdout = sys.stdout, sys.stdout.errors
        return [
            sys.unraisablehook,
            sys.excepthook,
            *handlers,
            *stdout,
            logging.getLogger().handlers[:],
            warnings.filters,
        ]

    def run(options, context):
        seen.extend(state())
        raise InputError("x")

    seen, before = [], state()
    assert supervise(run, QUIET) == 1
    assert state() == before
    assert all(now != then for now, then in zip(seen[:4], before[:4]))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_cancelled_command_leaves_its_caller_alive(monkeypatch):
    def run(options, context):
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            context.cancel.check()

    ends = []
    monkeypatch.setattr(os, "_exit", ends.append)
    monkeypatch.setattr(cancelling, "GRACE_S", 0.2)
    assert supervise(run, QUIET) == 130
    time.sleep(0.5)
    assert ends == []


def test_progress_is_one_of_three(capsys):
    parser = argparse.ArgumentParser()
    add_progress(parser)
    assert parser.parse_args([]).progress == "bar"
    with pytest.raises(SystemExit):
        parser.parse_args(["--progress", "dots"])
