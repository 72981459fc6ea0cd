"""What tests of training share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _cache_of_its_own() -> Iterator[None]:
    """What is known of test files must not outlive them in the user's cache; set for child processes too."""
    before = os.environ.get("SARDINO_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SARDINO_CACHE"] = folder
        yield
    if before is None:
        del os.environ["SARDINO_CACHE"]
    else:
        os.environ["SARDINO_CACHE"] = before
