"""Fixtures of the reliability tests."""

from __future__ import annotations

import os

import pytest

from tests.backend.reliability.warm import Warm


@pytest.fixture(scope="session")
def warm():
    """Run the real command line in separate processes, a tenth of a second each."""
    if not hasattr(os, "fork"):
        pytest.skip("runs are forked")
    process = Warm()
    yield process
    process.close()
