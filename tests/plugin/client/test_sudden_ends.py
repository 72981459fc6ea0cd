"""One of the two processes is killed from outside: the other one ends soon, and says what it knows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from sardino_qgis.client.run import WorkerError, run_worker
from sardino_qgis.environment.locate import worker_environment

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
def command(make_scene, tmp_path):
    """A real run that takes long, to an output that has an older file."""
    scene = make_scene(np.random.default_rng(0).normal(-12, 2, (1500, 1500)), "large.tif")
    (tmp_path / "o.tif").write_bytes(b"older")
    options = ["--device", "cpu", "--batch-size", "1", "--overwrite", "--progress", "json"]
    return [sys.executable, "-m", "backend", "landcover", str(scene), str(tmp_path / "o.tif"), *options]


def temporaries(folder):
    return [path.name for path in folder.iterdir() if "sardino-part" in path.name]


def test_a_worker_killed_from_outside_is_told_with_its_last_lines(command, feedback, repo_root, tmp_path):
    """By the signal of a library at fault: what Python says of it is what a report needs. test_runner.py has others."""
    killed = []

    def kill(_percent):
        if not killed:
            (name,) = temporaries(tmp_path)
            killed.append(time.monotonic())
            os.kill(int(name.split(".")[-3]), signal.SIGSEGV)

    feedback.progressChanged.connect(kill)
    env = {**worker_environment(), "PYTHONFAULTHANDLER": "1"}
    with pytest.raises(WorkerError, match="killed by signal 11") as caught:
        run_worker(command, str(repo_root), feedback, "Mapping", env)
    assert time.monotonic() - killed[0] < SOON_S
    assert "Its last lines:" in caught.value.message and "Extension modules:" in caught.value.message
    assert caught.value.hint and (tmp_path / "o.tif").read_bytes() == b"older"


@pytest.mark.slow
def test_the_worker_ends_and_tidies_up_when_qgis_is_killed(command, repo_root, tmp_path):
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
    (name,) = temporaries(tmp_path)
    worker = int(name.split(".")[-3])
    os.kill(worker, 0)
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
    """Whether a process lives: an ended one may wait for whoever inherited it to take note."""
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
