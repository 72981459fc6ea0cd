"""Runs of a desktop's algorithms by a worker that stays: the same results, sooner, and never behind one another."""

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

# Takes each run down, with the process that did it; warm ("serve") or on its own.
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
    """Name the clerk as the backend; a function that reads what it took down."""
    record = tmp_path / "record"
    body = CLERK.format(record=str(record), hold=str(tmp_path / "hold"))
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "clerk")))
    return lambda: [json.loads(line) for line in record.read_text().splitlines()]


@pytest.fixture
def run(scene, tmp_path, feedback):
    """Run an algorithm on the scene; the path of its output."""

    def go(name="out.tif", algorithm="landcover", given=feedback, **parameters):
        output = str(tmp_path / name)
        parameters = {"INPUT": str(scene), "OUTPUT": output, "DEVICE": "cpu", **parameters}
        processing.run(f"sardino:{algorithm}", parameters, feedback=given)
        return output

    return go


def warm_process(feedback):
    """Number of the process that answered the last run, if it was running before."""
    found = [re.search(r"running already \(process (\d+)\)", text) for text in feedback.debug]
    return [int(match.group(1)) for match in found if match]


def temporaries(folder):
    return [path.name for path in folder.iterdir() if "sardino-part" in path.name]


@pytest.mark.slow
def test_the_second_run_has_the_same_worker_is_faster_and_writes_the_same(plugin, real_worker, run, feedback):
    seconds, paths = [], []
    for name in ("first.tif", "second.tif"):
        began = time.monotonic()
        paths.append(run(name, MODEL="tiny"))
        seconds.append(time.monotonic() - began)
    process = plugin.workers._shared._worker.process
    assert warm_process(feedback) == [process.pid] and process.poll() is None
    print(f"first run {seconds[0]:.2f} s, second {seconds[1]:.2f} s")
    assert seconds[1] < seconds[0] / 2
    with pytest.raises(QgsProcessingException, match="block 77"):
        run("refused.tif", "attention", MODEL="tiny", BLOCK=77)
    paths.append(run("third.tif", MODEL="tiny"))
    assert warm_process(feedback) == [process.pid] * 3, "a refusal leaves it alive"
    plugin.provider.workers = None
    paths.append(run("alone.tif", MODEL="tiny"))
    first, *others = (Path(path).read_bytes() for path in paths)
    assert all(other == first for other in others)


def test_a_cancel_ends_the_worker_and_leaves_the_older_file(plugin, real_worker, make_scene, run, feedback, tmp_path):
    large = make_scene(np.random.default_rng(0).normal(-12, 2, (1500, 1500)), "large.tif")
    (tmp_path / "out.tif").write_bytes(b"older")
    plugin.workers.warm()
    process = plugin.workers._shared._worker.process
    pressed = []

    def press(_percent):
        if not pressed:
            assert temporaries(tmp_path)
            pressed.append(time.monotonic())
            feedback.cancel()

    feedback.progressChanged.connect(press)
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run(INPUT=str(large), MODEL="tiny", BATCH_SIZE=1)
    assert time.monotonic() - pressed[0] < SOON_S and process.poll() is not None
    assert temporaries(tmp_path) == [] and (tmp_path / "out.tif").read_bytes() == b"older"
    assert warm_process(feedback) == [process.pid]


def test_all_algorithms_that_run_a_model_and_no_others(plugin, clerk, run, scene, tmp_path):
    for algorithm in ("landcover", "attention", "embeddings"):
        run(algorithm=algorithm)
    point = "400300,5199500 [EPSG:32633]"
    run(algorithm="similarity", POINT=point)
    told = clerk()
    assert [how for how, _, _ in told] == ["warm"] * 4 and len({process for _, process, _ in told}) == 1
    assert [arguments[0] for _, _, arguments in told] == ["landcover", "attention", "embed", "similarity"]
    assert told[0][2][-3:] == ["--progress", "json", "--overwrite"]


def test_without_a_desktop_each_run_has_a_process_of_its_own(provider, clerk, run):
    run()
    run()
    assert [how for how, _, _ in clerk()] == ["alone", "alone"] and clerk()[0][1] != clerk()[1][1]


def test_a_run_does_not_wait_for_another(plugin, clerk, run, scene, tmp_path, feedback):
    (tmp_path / "hold").touch()
    other = type(feedback)()

    def ask():
        try:
            plugin.workers.run(["landcover", str(scene), str(tmp_path / "held.tif")], other, "x")
        except Exception as error:
            ended.append(type(error).__name__)

    ended = []
    thread = threading.Thread(target=ask)
    thread.start()
    while not plugin.workers._shared.running():
        time.sleep(0.01)
    run()
    assert [how for how, _, _ in clerk()] == ["alone"] and thread.is_alive()
    # Nor does the map tool, for which there is another worker that stays.
    (tmp_path / "hold").unlink()
    plugin.workers.ask({"run": ["similarity", str(scene), str(tmp_path / "s.tif")]}, feedback, "x")
    spare = plugin.workers._spare._worker.process
    assert clerk()[-1][:2] == ["warm", spare.pid] and thread.is_alive()
    plugin.unload()
    thread.join(SOON_S)
    assert ended == ["WorkerCancelledError"] and spare.poll() is not None


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_worker_that_is_killed_is_told_of_and_the_next_run_starts_another(plugin, clerk, run, feedback, tmp_path):
    run()
    process = plugin.workers._shared._worker.process
    (tmp_path / "hold").touch()
    threading.Timer(0.3, os.kill, (process.pid, signal.SIGKILL)).start()
    with pytest.raises(QgsProcessingException, match="killed by signal 9"):
        run()
    (tmp_path / "hold").unlink()
    run()
    assert [how for how, _, _ in clerk()] == ["warm", "warm"] and clerk()[1][1] != process.pid


def test_it_rests_where_another_interpreter_is_chosen_or_an_installation_begins(plugin, clerk, run):
    run()
    process = plugin.workers._shared._worker.process
    plugin.set_up_backend()
    plugin.setup_dialog.changing.emit()
    assert process.poll() is not None
    run()
    assert len({process for _, process, _ in clerk()}) == 2
