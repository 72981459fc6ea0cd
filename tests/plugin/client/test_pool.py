"""Test runs by the desktop's warm worker: same results, faster, and without waiting for each other."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import numpy as np
import processing
import pytest
from qgis.core import QgsProcessingException

import sardino_qgis

pytestmark = pytest.mark.usefixtures("qgis_processing")

SOON_S = 5.0  # twice and more what it takes, for machines that are busy

# Records each run with its process: warm ("serve") or alone.
CLERK = """
import json, os, shutil, sys, time
def run(arguments, how):
    for _ in range(600 if os.path.exists({hold!r}) and how == "warm" else 0): time.sleep(0.1)
    with open({record!r}, "a") as file: file.write(json.dumps([how, os.getpid(), arguments]) + "\\n")
    shutil.copy(arguments[1], arguments[2])
    print(json.dumps({{"event": "result", "outputs": {{}}, "device": "cpu", "seconds": 1.0, "model": "m"}}), flush=True)
if sys.argv[3] == "serve":
    for line in sys.stdin: run(json.loads(line)["run"], "warm")
else:
    run(sys.argv[3:], "alone")
"""


@pytest.fixture
def plugin(desktop):
    """The plugin in a desktop."""
    plugin = sardino_qgis.classFactory(desktop)
    plugin.initGui()
    yield plugin
    plugin.unload()


@pytest.fixture
def clerk(script, monkeypatch, tmp_path):
    """Set the clerk as the backend; return a function that reads its record."""
    record = tmp_path / "record"
    body = CLERK.format(record=str(record), hold=str(tmp_path / "hold"))
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "clerk")))
    return lambda: [json.loads(line) for line in record.read_text().splitlines()]


@pytest.fixture
def run(scene, tmp_path, feedback):
    """Run an algorithm on the scene; return the path of its output."""

    def go(name="out.tif", algorithm="landcover", given=feedback, **parameters):
        output = str(tmp_path / name)
        parameters = {"INPUT": str(scene), "OUTPUT": output, "DEVICE": "cpu", **parameters}
        processing.run(f"sardino:{algorithm}", parameters, feedback=given)
        return output

    return go


def warm_process(feedback):
    """Return the ids of worker processes that were running before their run."""
    found = [re.search(r"running already \(process (\d+)\)", text) for text in feedback.debug]
    return [int(match.group(1)) for match in found if match]


def temporaries(folder):
    return [path.name for path in folder.iterdir() if "sardino-part" in path.name]


@pytest.mark.slow
def test_second_run_is_faster_and_writes_the_same(plugin, real_worker, run, feedback):
    seconds, paths = [], []
    for name in ("first.tif", "second.tif"):
        began = time.monotonic()
        paths.append(run(name, MODEL="tiny"))
        seconds.append(time.monotonic() - began)
    process = plugin.warm_pool._shared._worker.process
    assert warm_process(feedback) == [process.pid] and process.poll() is None
    print(f"first run {seconds[0]:.2f} s, second {seconds[1]:.2f} s")
    assert seconds[1] < seconds[0] / 2
    with pytest.raises(QgsProcessingException, match="block 77"):
        run("refused.tif", "attention", MODEL="tiny", BLOCK=77)
    paths.append(run("third.tif", MODEL="tiny"))
    assert warm_process(feedback) == [process.pid] * 3, "a refusal leaves it alive"
    plugin.provider.warm_pool = None
    paths.append(run("alone.tif", MODEL="tiny"))
    first, *others = (Path(path).read_bytes() for path in paths)
    assert all(other == first for other in others)


def test_cancel_ends_the_worker_and_keeps_the_older_file(plugin, real_worker, make_scene, run, feedback, tmp_path):
    large = make_scene(np.random.default_rng(0).normal(-12, 2, (1500, 1500)), "large.tif")
    (tmp_path / "out.tif").write_bytes(b"older")
    plugin.warm_pool.warm()
    process = plugin.warm_pool._shared._worker.process
    pressed = []

    def press(_percent):
        if not pressed:
            assert temporaries(tmp_path)
            pressed.append(time.monotonic())
            feedback.cancel()

    feedback.progressChanged.connect(press)
    run(INPUT=str(large), MODEL="tiny", BATCH_SIZE=1)
    assert "Cancelled." in feedback.infos
    assert time.monotonic() - pressed[0] < SOON_S and process.poll() is not None
    assert temporaries(tmp_path) == [] and (tmp_path / "out.tif").read_bytes() == b"older"
    assert warm_process(feedback) == [process.pid]


def test_model_algorithms_share_the_warm_worker(plugin, clerk, run, scene, tmp_path):
    for algorithm in ("landcover", "attention", "embeddings"):
        run(algorithm=algorithm)
    point = "400300,5199500 [EPSG:32633]"
    run(algorithm="similarity", POINT=point)
    record = clerk()
    assert [how for how, _, _ in record] == ["warm"] * 4 and len({process for _, process, _ in record}) == 1
    assert [arguments[0] for _, _, arguments in record] == ["landcover", "attention", "embed", "similarity"]
    assert record[0][2][-3:] == ["--progress", "json", "--overwrite"]


def test_each_run_without_a_desktop_has_its_own_process(provider, clerk, run):
    run()
    run()
    assert [how for how, _, _ in clerk()] == ["alone", "alone"] and clerk()[0][1] != clerk()[1][1]


def test_run_does_not_wait_for_another(plugin, clerk, run, scene, tmp_path, feedback):
    (tmp_path / "hold").touch()
    other = type(feedback)()

    def ask():
        try:
            plugin.warm_pool.run(["landcover", str(scene), str(tmp_path / "held.tif")], other, "x")
        except Exception as error:
            ended.append(type(error).__name__)

    ended = []
    thread = threading.Thread(target=ask)
    thread.start()
    while not plugin.warm_pool._shared.running():
        time.sleep(0.01)
    run()
    assert [how for how, _, _ in clerk()] == ["alone"] and thread.is_alive()
    # Nor does the map tool, for which there is another worker that stays.
    (tmp_path / "hold").unlink()
    plugin.warm_pool.ask({"run": ["similarity", str(scene), str(tmp_path / "s.tif")]}, feedback, "x")
    spare = plugin.warm_pool._spare._worker.process
    assert clerk()[-1][:2] == ["warm", spare.pid] and thread.is_alive()
    plugin.unload()
    thread.join(SOON_S)
    assert ended == ["WorkerCancelledError"] and spare.poll() is not None


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_killed_worker_is_reported_and_replaced(plugin, clerk, run, feedback, tmp_path):
    run()
    process = plugin.warm_pool._shared._worker.process
    (tmp_path / "hold").touch()
    threading.Timer(0.3, os.kill, (process.pid, signal.SIGKILL)).start()
    with pytest.raises(QgsProcessingException, match="killed by signal 9"):
        run()
    (tmp_path / "hold").unlink()
    run()
    assert [how for how, _, _ in clerk()] == ["warm", "warm"] and clerk()[1][1] != process.pid


def test_installation_ends_the_idle_worker(plugin, clerk, run):
    run()
    process = plugin.warm_pool._shared._worker.process
    plugin.set_up_backend()
    plugin.setup_dialog.changing.emit()
    assert not plugin.warm_pool._shared.running()
    process.wait(SOON_S)
    run()
    assert len({process for _, process, _ in clerk()}) == 2
