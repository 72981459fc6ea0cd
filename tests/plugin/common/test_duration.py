"""Test the phrases for the time left."""

from __future__ import annotations

import pytest

from sardino_qgis.common.duration import time_left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (-1, ""),
        (float("nan"), ""),
        (5, "less than a minute left"),
        (119, "about 2 min left"),
        (7500, "about 2 h 5 min left"),
    ],
)
def test_time_left(qgis_app, seconds, text):
    assert time_left(seconds) == text
