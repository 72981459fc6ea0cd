"""Test the client of a warm worker with programs that answer, refuse, or end at the wrong moment."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time

import pytest

from sardino_qgis.client import worker_spec
from sardino_qgis.client.events import WorkerCancelledError, WorkerError
from sardino_qgis.client.warm import WarmClient
from sardino_qgis.environment import locate

# Answers each line with the question and the number of times that this program was started.
WORKER = """
import json, os, sys, threading, time
starts = {starts!r}
with open(starts, "a") as file: file.write("x")
count = os.path.getsize(starts)
assert sys.argv[1:] == ["-m", "backend", "serve"], sys.argv
for line in sys.stdin:
    question = json.loads(line)
    if question["do"] == "leave" and count == 1: sys.exit(0)
    if question["do"] == "die": sys.stderr.write("overheated\\n"); sys.exit(3)
    if question["do"] == "mumble": sys.stderr.write("mumbled\\n"); sys.stderr.flush(); time.sleep(0.2)
    if question["do"] == "wait": time.sleep(60)
    if question["do"] == "deafen": threading.Thread(target=time.sleep, args=(60,)).start()  # outlives its input
    if question["do"] == "refuse": event = {{"event": "error", "message": "too dark", "hint": "more light"}}
    else: event = {{"event": "result", "starts": count, "question": question}}
    print(json.dumps(event), flush=True)
"""


@pytest.fixture
def client(script, monkeypatch, tmp_path):
    path = script(WORKER.format(starts=str(tmp_path / "starts")), "client")
    monkeypatch.setenv("SARDINO_PYTHON", str(path))
    client = WarmClient()
    yield client
    client.stop()


@pytest.fixture
def other_feedback(feedback):
    return type(feedback)()


def test_one_worker_answers_many_questions(client, feedback):
    assert not client.running()
    client.warm()
    assert client.running()
    answers = [client.ask({"do": "tell", "where": "Tromsø"}, feedback, "x") for _ in range(3)]
    assert [answer["starts"] for answer in answers] == [1, 1, 1]
    assert answers[0]["question"] == {"do": "tell", "where": "Tromsø"}


def test_refusal_keeps_the_worker_alive(client, feedback):
    with pytest.raises(WorkerError, match="too dark\nmore light"):
        client.ask({"do": "refuse"}, feedback, "x")
    assert client.ask({"do": "tell"}, feedback, "x")["starts"] == 1


def test_dead_worker_is_reported_and_replaced(client, feedback):
    with pytest.raises(WorkerError, match="(?s)exit code 3.*overheated"):
        client.ask({"do": "die"}, feedback, "x")
    assert client.ask({"do": "tell"}, feedback, "x")["starts"] == 2


def test_worker_that_just_ended_normally_is_replaced(client, feedback):
    client.ask({"do": "tell"}, feedback, "x")
    assert client.ask({"do": "leave"}, feedback, "x")["starts"] == 2


def test_cancel_ends_the_worker(client, feedback):
    client.warm()
    process = client._worker.process
    threading.Timer(0.3, feedback.cancel).start()
    began = time.monotonic()
    with pytest.raises(WorkerCancelledError):
        client.ask({"do": "wait"}, feedback, "x")
    assert time.monotonic() - began < 5 and process.poll() is not None and not client.running()


def asking(client, feedback, question):
    """Ask in another thread, as a task does; return the thread and a list that gets the outcome."""
    outcome = []

    def ask():
        try:
            outcome.append(client.ask(question, feedback, "x"))
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not client.running():
        time.sleep(0.01)
    return thread, outcome


def test_offer_does_not_wait_for_another_question(client, feedback, other_feedback):
    thread, _ = asking(client, other_feedback, {"do": "wait"})
    process = client._worker.process
    began = time.monotonic()
    assert client.offer({"do": "tell"}, feedback, "x") is None
    client.warm()
    client.rest()
    assert time.monotonic() - began < 0.5 and client._worker.process is process and process.poll() is None
    other_feedback.cancel()
    thread.join()
    assert client.offer({"do": "tell"}, feedback, "x")["starts"] == 2


def test_queued_question_is_cancelled_at_once(client, feedback, other_feedback):
    thread, _ = asking(client, other_feedback, {"do": "wait"})
    pressed = []
    threading.Timer(0.3, lambda: (pressed.append(time.monotonic()), feedback.cancel())).start()
    rescue = threading.Timer(5, other_feedback.cancel)
    rescue.start()
    with pytest.raises(WorkerCancelledError):
        client.ask({"do": "tell"}, feedback, "x")
    assert time.monotonic() - pressed[0] < 0.3
    assert client.running() and not other_feedback.isCanceled(), "the first question is still being answered"
    rescue.cancel()
    other_feedback.cancel()
    thread.join()


def gone(process, seconds=5):
    process.wait(seconds)
    return True


def test_rest_does_not_wait_for_the_worker_to_end(client, feedback):
    client.ask({"do": "deafen"}, feedback, "x")
    process = client._worker.process
    began = time.monotonic()
    client.rest()
    assert time.monotonic() - began < 0.3 and not client.running()
    assert gone(process)


def test_warming_does_not_wait_for_an_outdated_worker(client, feedback, monkeypatch, tmp_path):
    client.ask({"do": "deafen"}, feedback, "x")
    process = client._worker.process
    monkeypatch.setenv("SARDINO_MODELS", str(tmp_path))
    began = time.monotonic()
    client.warm()
    assert time.monotonic() - began < 0.8 and client.running() and client._worker.process is not process
    assert gone(process)


SCANNED = []
sys.addaudithook(lambda event, arguments: SCANNED.append(str(arguments[0])) if event == "os.scandir" else None)


def test_questions_in_quick_succession_scan_no_folders(client, feedback):
    client.ask({"do": "tell"}, feedback, "x")
    SCANNED.clear()
    for _ in range(3):
        client.ask({"do": "tell"}, feedback, "x")
    assert SCANNED == []


def test_rest_ends_the_worker_until_the_next_question(client, feedback):
    client.ask({"do": "tell"}, feedback, "x")
    process = client._worker.process
    client.rest()
    assert gone(process) and not client.running()
    assert client.ask({"do": "tell"}, feedback, "x")["starts"] == 2


@pytest.mark.parametrize("change", ["variable", "interpreter", "backend"])
def test_outdated_worker_is_replaced(client, feedback, monkeypatch, change, tmp_path, repo_root):
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "__main__.py").write_text("")
    monkeypatch.setattr(locate, "backend_root", lambda: tmp_path)
    monkeypatch.setattr(worker_spec, "CHECK_SECONDS", 0)
    client.ask({"do": "tell"}, feedback, "x")
    process = client._worker.process
    if change == "variable":
        monkeypatch.setenv("SARDINO_MODELS", str(tmp_path))
    elif change == "interpreter":
        other = tmp_path / "other"
        shutil.copy(os.environ["SARDINO_PYTHON"], other)
        monkeypatch.setenv("SARDINO_PYTHON", str(other))
    else:
        (tmp_path / "backend" / "new.py").write_text("")
    assert client.ask({"do": "tell"}, feedback, "x")["starts"] == 2
    assert gone(process)
    assert client.ask({"do": "tell"}, feedback, "x")["starts"] == 2


def test_error_has_only_lines_since_the_question(client, feedback):
    client.ask({"do": "mumble"}, feedback, "x")
    with pytest.raises(WorkerError) as caught:
        client.ask({"do": "die"}, feedback, "x")
    assert "overheated" in caught.value.message and "mumbled" not in caught.value.message


def test_close_cancels_present_and_later_questions(client, feedback):
    thread, outcome = asking(client, feedback, {"do": "wait"})
    process = client._worker.process
    began = time.monotonic()
    client.close()
    thread.join()
    assert time.monotonic() - began < 5 and process.poll() is not None
    assert isinstance(outcome[0], WorkerCancelledError)
    with pytest.raises(WorkerCancelledError):
        client.ask({"do": "tell"}, feedback, "x")
    client.close()
    assert not client.running()


def test_stop_from_another_thread_ends_a_question(client, feedback):
    client.warm()
    threading.Timer(0.3, client.stop).start()
    with pytest.raises(WorkerError):
        client.ask({"do": "wait"}, feedback, "x")
    assert not client.running()
