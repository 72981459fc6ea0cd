"""Kill QGIS or the worker: the other one ends soon, and reports what it knows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from sardino_qgis.client.events import WorkerError
from sardino_qgis.client.run import run_worker
from sardino_qgis.environment.variables import worker_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")

SOON_S = 5.0

# Stands for QGIS: the plugin's own code, in a process that can be killed without taking the tests along.
DESKTOP = """
import sys
from qgis.core import QgsApplication, QgsProcessingFeedback
application = QgsApplication([], False)
application.initQgis()
from sardino_qgis.client.run import run_worker
class Feedback(QgsProcessingFeedback):
    def setProgress(self, percent):
        print("progress", flush=True)
run_worker(sys.argv[2:], sys.argv[1], Feedback(False), "Mapping")
"""


@pytest.fixture
def command(make_scene, tmp_path, backend_python):
    """A real run that takes long, to an output that has an older file."""
    scene = make_scene(np.random.default_rng(0).normal(-12, 2, (1500, 1500)), "large.tif")
    (tmp_path / "o.tif").write_bytes(b"older")
    options = ["--device", "cpu", "--batch-size", "1", "--overwrite", "--progress", "json"]
    return [backend_python, "-m", "backend", "landcover", str(scene), str(tmp_path / "o.tif"), *options]


def temporaries(folder):
    return [path.name for path in folder.iterdir() if "sardino-part" in path.name]


def holder(folder):
    """The number of the process that holds the output."""
    lock = folder / ".o.tif.sardino-lock"
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.path.samefile(link, lock):  # the link's own text is another where the process runs in another root
                return int(link.parts[2])
    return int(subprocess.run(["lsof", "-t", lock], check=True, capture_output=True, text=True).stdout)


def test_killed_worker_is_reported_with_its_last_lines(command, feedback, repo_root, tmp_path):
    """Kill it with the signal of a faulty library, and expect Python's fault report. test_run.py has other signals."""
    killed = []

    def kill(_percent):
        if not killed:
            assert len(temporaries(tmp_path)) == 1
            killed.append(time.monotonic())
            os.kill(holder(tmp_path), signal.SIGSEGV)

    feedback.progressChanged.connect(kill)
    env = {**worker_environment(), "PYTHONFAULTHANDLER": "1"}
    with pytest.raises(WorkerError, match="killed by signal 11") as caught:
        run_worker(command, str(repo_root), feedback, "Mapping", env)
    assert time.monotonic() - killed[0] < SOON_S
    assert "Its last lines:" in caught.value.message and "Extension modules:" in caught.value.message
    assert caught.value.hint and (tmp_path / "o.tif").read_bytes() == b"older"


@pytest.mark.slow
def test_worker_cleans_up_when_qgis_is_killed(command, repo_root, tmp_path):
    desktop = subprocess.Popen(
        [sys.executable, "-c", DESKTOP, str(repo_root), *command],
        cwd=repo_root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(120, desktop.kill)
    watchdog.start()
    for line in desktop.stdout:
        if line.startswith("progress") and temporaries(tmp_path):
            break
    worker = holder(tmp_path)
    desktop.kill()
    desktop.wait()
    watchdog.cancel()
    began = time.monotonic()
    while temporaries(tmp_path) or runs(worker):
        assert time.monotonic() - began < SOON_S
        time.sleep(0.05)
    desktop.stdout.close()
    assert (tmp_path / "o.tif").read_bytes() == b"older"


def runs(process: int) -> bool:
    """Return whether a process runs; an ended one may be a zombie until its new parent reaps it."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        pass
    if os.path.isdir("/proc/self"):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
