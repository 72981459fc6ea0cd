"""Test progress as JSON, and as lines without a terminal."""

import io
import json
import re

import pytest

from backend.core import events
from backend.core.errors import Cancelled, InputError
from backend.core.events import BarReporter, JsonReporter, print_lines


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: clock[0] is the time in seconds."""
    now = [100.0]
    monkeypatch.setattr(events.time, "monotonic", lambda: now[0])
    return now


def test_figures_travel_with_progress(clock):
    stream = io.StringIO()
    reporter = JsonReporter(stream)
    for done in (1, 2):
        reporter.progress(done, 4, loss=0.5)
        clock[0] += 3
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first == {"event": "progress", "done": 1, "total": 4, "eta_s": None, "loss": 0.5}
    assert second["eta_s"] == 6.0


def test_without_a_terminal_a_line_comes_every_30_seconds(clock, capsys):
    reporter = BarReporter()
    for done in range(1, 101):
        clock[0] += 1
        reporter.progress(done, 100, loss=0.123456, images_per_s=24.0)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["30/100", "60/100", "90/100"]
    assert re.fullmatch(r"30/100 0:01:10 left  loss 0.1235  images/s 24", lines[0])


@pytest.mark.parametrize(
    "text", ["\x1b[31mred", "a\nb", "\u202eabc", "\x9b1m", "\r\x07", "\u2066x", "\u2028", "\ud800"]
)
def test_no_control_of_a_terminal_is_shown(text, capsys):
    reporter = BarReporter()
    reporter.log("warning", f"Band {text}.")
    reporter.error(InputError(text, text))
    reporter.result({"seconds": 1.0, "outputs": {"output": f"/tmp/{text}.tif"}})
    print_lines([f"name: {text}"])
    out, err = capsys.readouterr()
    assert (out.count("\n"), err.count("\n")) == (2, 3)
    assert all(line.isprintable() for line in (out + err).splitlines())


def test_names_keep_their_spaces_and_letters(capsys):
    BarReporter().result({"seconds": 1.0, "outputs": {"output": "/tmp/a  b/Überflug 森.tif"}})
    assert capsys.readouterr().out == "/tmp/a  b/Überflug 森.tif\n"


class Broken(io.StringIO):
    """A stream that can't be written."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), BrokenPipeError(), ValueError("closed")])
def test_a_run_goes_on_without_its_terminal(error, monkeypatch):
    monkeypatch.setattr(events.sys, "stderr", Broken(error))
    monkeypatch.setattr(events.sys, "stdout", Broken(error))
    reporter = BarReporter()
    reporter.start(model="m", command="c", device="cpu")
    reporter.progress(1, 2)
    reporter.result({"seconds": 1.0, "outputs": {"output": "/tmp/a.tif"}})
    reporter.error(InputError("x"))


def test_events_that_nobody_reads_cancel_a_run(capsys):
    reporter = JsonReporter(Broken(BrokenPipeError()))
    with pytest.raises(Cancelled, match="nobody reads"):
        reporter.log("info", "x")
    reporter.result({})
    reporter.error(InputError("x"))
    assert capsys.readouterr().err == "error: x\n"
    for stream in (None, Broken(OSError(28, "full"))):
        JsonReporter(stream).log("info", "x")
