"""Benchmarks are run as programs, as `make bench` and the documents run them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture
def benchmark(repo_root):
    """Run a module of benchmarks with some arguments; the finished process, which may be one that failed."""

    def run(module, *arguments):
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, cwd=repo_root, env=environment, capture_output=True, text=True)

    return run
