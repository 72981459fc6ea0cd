"""Test progress as JSON, and as lines without a terminal."""

import io
import json
import re

import pytest

from backend.core import events
from backend.core.events import BarReporter, JsonReporter


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
