"""Test runs of the worker with real processes: well-behaved, faulty, and unresponsive ones."""

from __future__ import annotations

import os
import sys
import time

import pytest

from backend.core import cancel
from sardino_qgis.client import run as runner
from sardino_qgis.client.events import WorkerCancelledError, WorkerError
from sardino_qgis.client.run import run_worker
from sardino_qgis.common import process

SAY = """
import json, os, sys, time
def say(**event):
    print(json.dumps(event), flush=True)
"""
RESULT = SAY + "say(event='result', outputs={}, classes=[], device='cpu', seconds=1.5, model='m')\n"


@pytest.fixture
def light(tmp_path):
    """The interpreter of an installation for mapping, as far as it is looked at."""
    python = tmp_path / "env" / "bin" / "python"
    (tmp_path / "env/lib/python3.11/site-packages/openvino-2024.6.0.dist-info").mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    python.parent.mkdir()
    return python


@pytest.mark.parametrize(
    "body",
    [
        SAY + "say(event='error', message='The device cuda needs PyTorch, which is not installed.', hint='Try auto.')",
        SAY + "say(event='error', message='The package torch is not installed here.', hint='Install it.')",
        "import sys; sys.exit(\"ModuleNotFoundError: No module named 'torch'\")",
    ],
)
def test_what_needs_pytorch_names_the_other_installation(script, light, feedback, tmp_path, body):
    program = script(body)
    with pytest.raises(WorkerError) as elsewhere:
        run_worker([str(program)], str(tmp_path), feedback, "Mapping")
    assert "choose With PyTorch" not in elsewhere.value.hint
    program.rename(light)
    with pytest.raises(WorkerError, match="PyTorch|torch") as caught:
        run_worker([str(light)], str(tmp_path), feedback, "Mapping")
    assert caught.value.hint.startswith("Set up the backend again, and choose With PyTorch")
    assert "environment install --kind pytorch" in caught.value.hint


@pytest.fixture
def run(script, feedback, tmp_path):
    def go(body: str) -> dict:
        path = script(SAY) if not body else script(body)
        return run_worker([sys.executable, str(path)], str(tmp_path), feedback, "Mapping")

    return go


def cancel_after(feedback, seconds):
    """Cancel from another thread, as a user does; return a list that gets the time of the cancel."""
    import threading

    pressed = []

    def press():
        pressed.append(time.monotonic())
        feedback.cancel()

    threading.Timer(seconds, press).start()
    return pressed


def test_result_progress_and_log_reach_the_feedback(run, feedback):
    result = run(
        SAY
        + """
say(event="start", version="0.1.0", command="landcover", model="m", device="cpu", input="i", outputs={})
say(event="progress", done=1, total=4, eta_s=130.0)
say(event="log", level="info", message="units: dB")
say(event="log", level="warning", message="pixels are 12 m")
say(event="progress", done=2, total=4, eta_s=None)
say(event="result", outputs={"output": "o.tif"}, classes=[], device="cpu", seconds=2.0, model="m")
"""
    )
    assert result["outputs"] == {"output": "o.tif"}
    assert feedback.progress() == 100
    assert "Mapping, about 2 min left" in feedback.texts
    assert any("Model m on cpu" in text for text in feedback.infos)
    assert "units: dB" in feedback.infos
    assert feedback.warnings == ["pixels are 12 m"]


def test_error_event_gives_message_and_hint(run):
    with pytest.raises(WorkerError) as caught:
        run(SAY + "say(event='error', message='no bands', hint='choose two')\nsys.exit(1)")
    assert (caught.value.message, caught.value.hint) == ("no bands", "choose two")
    assert str(caught.value) == "no bands\nchoose two"


def test_death_at_once_shows_the_last_lines(run):
    with pytest.raises(WorkerError) as caught:
        run("import sys\nfor i in range(100): print('line', i, file=sys.stderr)\nsys.exit(3)")
    assert "exit code 3" in caught.value.message
    lines = caught.value.message.splitlines()
    assert lines[-1] == "line 99"
    assert len([line for line in lines if line.startswith("line ")]) == 40
    assert caught.value.hint


def test_missing_package_says_how_to_set_up(run):
    with pytest.raises(WorkerError, match="'no_such_package' is missing") as caught:
        run("import no_such_package")
    assert "SARDINO_PYTHON" in caught.value.hint


def test_no_result_with_exit_zero_is_an_error(run):
    with pytest.raises(WorkerError, match="without a result"):
        run("pass")


def test_result_with_bad_exit_is_an_error(run):
    with pytest.raises(WorkerError, match="exit code 9"):
        run(RESULT + "sys.exit(9)")


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_killed_worker_hints_at_memory(run):
    with pytest.raises(WorkerError, match="killed by signal 9") as caught:
        run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert "memory" in caught.value.hint


def test_corrupt_lines_are_logged_not_fatal(run, feedback):
    result = run(
        SAY
        + """
sys.stdout.buffer.write(b"\\xff\\xfe half a line\\n")
print('{"event": \\n[1]\\n{"event": [1]}\\n{"event": "x"}')
say(event="progress", done="many", total=None)
say(event="progress", done=1, total=0)
"""
        + RESULT
    )
    assert result["model"] == "m"
    assert any("half a line" in text for text in feedback.debug)


def test_flood_of_errors_does_not_block(run):
    assert run("import sys\nfor _ in range(200000): print('x' * 80, file=sys.stderr)\n" + RESULT)["model"] == "m"


def test_flood_without_line_ends_does_not_block(run):
    assert run("import sys\nsys.stderr.write('x' * 30_000_000)\n" + RESULT)["model"] == "m"


def test_flood_of_events_is_read_to_the_end(run, feedback):
    result = run(SAY + "for i in range(20000): say(event='progress', done=i, total=20000, eta_s=10)\n" + RESULT)
    assert result["model"] == "m"
    assert len(feedback.texts) < 10  # QGIS writes each into its log


def test_hung_worker_with_a_result_is_a_success(run, monkeypatch):
    monkeypatch.setattr(runner, "END_GRACE_SECONDS", 0.5)
    started = time.monotonic()
    assert run(RESULT + "os.close(1)\ntime.sleep(60)")["model"] == "m"
    assert time.monotonic() - started < 5


def test_hung_worker_without_a_result_is_an_error(run, monkeypatch):
    monkeypatch.setattr(runner, "END_GRACE_SECONDS", 0.5)
    with pytest.raises(WorkerError, match="closed its output"):
        run("import os, time\nos.close(1)\ntime.sleep(60)")


@pytest.mark.skipif(os.name == "nt", reason="uses fork")
def test_output_held_open_by_a_grandchild_does_not_block(run):
    started = time.monotonic()
    assert run(RESULT + "if os.fork() == 0: time.sleep(20)")["model"] == "m"
    assert time.monotonic() - started < 10


def test_unstartable_program_is_an_error(feedback, tmp_path):
    with pytest.raises(WorkerError, match="can't be started"):
        run_worker([str(tmp_path / "nothing")], str(tmp_path), feedback, "x")


WELL_BEHAVED = SAY + "say(event='progress', done=1, total=9)\nsys.stdin.read()\nsys.exit(130)"
DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)"
FLOODING = SAY + "while True: say(event='log', level='debug', message='x' * 1000)"
TALKING = "import sys\nwhile True: sys.stderr.write('x' * 10000)"


@pytest.mark.parametrize("body", [WELL_BEHAVED, DEAF, FLOODING, TALKING], ids=["good", "deaf", "flood", "stderr"])
def test_cancel_ends_unresponsive_workers(run, feedback, body):
    pressed = cancel_after(feedback, 0.7)
    with pytest.raises(WorkerCancelledError):
        run(body)
    # 1.4 s measured; a loaded machine may take its time to start and to schedule anything.
    assert time.monotonic() - pressed[0] < 5


def test_waits_of_a_cancel_sum_to_less_than_two_seconds():
    waits = [runner.POLL_SECONDS, runner.CANCEL_GRACE_SECONDS, process.KILL_SECONDS, 2 * process.READER_SECONDS]
    assert sum(waits) < 2


def test_worker_cleans_up_before_it_would_be_killed():
    assert runner.CANCEL_GRACE_SECONDS > cancel.GRACE_S + 2 * cancel.POLL_S + 0.1


def test_cancelled_worker_has_ended(run, feedback, tmp_path):
    cancel_after(feedback, 0.7)
    with pytest.raises(WorkerCancelledError):
        run(f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)")
    with pytest.raises(OSError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_standard_input_stays_open_during_a_run(run):
    body = SAY + "import select\nopen_ = not select.select([0], [], [], 0.5)[0]\nassert open_\n"
    assert run(body + RESULT)["model"] == "m"
