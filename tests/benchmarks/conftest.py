"""Run benchmarks as programs, as `make bench` and the documents do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture
def benchmark(repo_root):
    """Run a module of benchmarks with some arguments; return the finished process."""

    def run(module, *arguments):
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, cwd=repo_root, env=environment, capture_output=True, text=True)

    return run
