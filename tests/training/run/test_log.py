"""Test progress and collapse alarm."""

from __future__ import annotations

import io
import re

import pytest

from training.run.log import CollapseAlarm, ProgressLine


def test_the_alarm_is_raised_once_for_a_lasting_collapse() -> None:
    alarm = CollapseAlarm(ready=10, patience=3)
    said = [alarm.check(step, 0.0, 0.5) for step in range(20)]
    assert [i for i, text in enumerate(said) if text] == [12] and "Collapse" in said[12]
    fine = CollapseAlarm(ready=0, patience=3)
    assert not any(fine.check(step, 0.5, 0.5) for step in range(9))


def test_time_spent_looking_is_left_out_of_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("training.run.log.time.monotonic", lambda: now)
    stream = io.StringIO()
    progress = ProgressLine(0, 10, 4, stream)
    progress.note = "k-NN 0.5"
    now += 2
    progress.pause(1)
    progress.show(1, 0.5)
    assert progress.images_per_s == pytest.approx(4.0)
    assert re.search(r"4\.0 images/s  left 0:00:18  k-NN 0\.5\n", stream.getvalue())
