"""Provide the real backend."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def worker(provider, real_worker):
    """Run the real backend in all tests of this folder."""
