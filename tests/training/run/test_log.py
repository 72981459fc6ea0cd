"""Test progress and collapse alarm."""

from __future__ import annotations

import pytest

from training.run.log import CollapseAlarm, Speed


def test_the_alarm_is_raised_once_for_a_lasting_collapse() -> None:
    alarm = CollapseAlarm(ready=10, patience=3)
    said = [alarm.check(step, 0.0, 0.5) for step in range(20)]
    assert [i for i, text in enumerate(said) if text] == [12] and "Collapse" in said[12]
    fine = CollapseAlarm(ready=0, patience=3)
    assert not any(fine.check(step, 0.5, 0.5) for step in range(9))


def test_time_spent_looking_is_left_out_of_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("training.run.log.time.monotonic", lambda: now)
    speed = Speed(0, 4)
    now += 2
    speed.pause(1)
    assert speed.images_per_s(1) == pytest.approx(4.0)
