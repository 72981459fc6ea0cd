"""Runs whose standard output or error is full, closed, or read by nobody."""

import os
import subprocess
import sys

import pytest
import rasterio

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")


@pytest.fixture
def shell(make_raster, scene_db, tiny_model, worker_environment, repo_root, tmp_path):
    """Run a map with redirections of a shell; return the exit code, and whether the map is there."""
    scene, output = make_raster(scene_db(70, 90)), tmp_path / "o.tif"

    def call(redirections, progress="bar"):
        words = ["landcover", scene, output, "--model", tiny_model, "--progress", progress, "--overwrite"]
        done = subprocess.run(
            ["bash", "-c", f'"$@" {redirections}', "bash", sys.executable, "-m", "backend", *map(str, words)],
            cwd=repo_root,
            env=worker_environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if output.exists():
            with rasterio.open(output) as file:
                assert file.read(1).shape == (70, 90)
        return done, output.exists()

    return call


@pytest.mark.parametrize("redirections", [">/dev/full", "2>/dev/full", ">/dev/full 2>&1", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("progress", ["bar", "json"])
def test_the_map_is_finished(shell, redirections, progress):
    done, there = shell(redirections, progress)
    assert done.returncode == 0 and there
    if redirections == ">/dev/full" and progress == "bar":
        assert "standard output can't be written (No space left on device)" in done.stderr


def test_events_without_a_reader_end_the_run(shell):
    done, there = shell("| true; exit ${PIPESTATUS[0]}", "json")
    assert done.returncode == 130 and not there and "nobody reads the events" in done.stderr


def test_facts_that_cannot_be_printed_are_a_failure(shell, repo_root, worker_environment):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "backend", "info"],
            cwd=repo_root,
            env=worker_environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1 and done.stderr.startswith("error: Standard output can't be written")
