"""Test the warm worker: runs and queries of one process, and its end."""

import io
import json
import subprocess
import sys
import time

import numpy as np
import pytest

from backend.cli.serve import LINE_BYTES, Inbox, TooLong, run_options, serve
from backend.core.cancel import Cancel
from backend.core.errors import InputError
from tests.support.backend.reading import read


def at(row, column):
    return 500_005 + 10 * column, 4_599_995 - 10 * row


def test_inbox_splits_bytes_into_lines():
    inbox = Inbox()
    for byte in b'{"a": 1}\n\n  \n{"b"':
        inbox.take(bytes([byte]))
    inbox.take(b': 2}\n{"c": 3}')
    assert [inbox.lines.get_nowait() for _ in range(inbox.lines.qsize())] == [b'{"a": 1}', b'{"b": 2}']


@pytest.mark.parametrize("piece", [1, 4096, 2**23])
def test_the_inbox_keeps_no_long_line(piece):
    """20 MB took 31 s when every piece was joined to all before."""
    inbox, content = Inbox(), (b"x" * LINE_BYTES + b"\n") + b"x" * (20 * LINE_BYTES if piece > 1 else LINE_BYTES + 1)
    began = time.process_time()
    for start in range(0, len(content), piece):
        inbox.take(content[start : start + piece])
    assert inbox.lines.qsize() == 2, "the refusal comes before the end of the line"
    inbox.take(b"\nnext\n")
    assert time.process_time() - began < 5
    whole, long, following = (inbox.lines.get_nowait() for _ in range(3))
    assert len(whole) == LINE_BYTES and isinstance(long, TooLong) and following == b"next"
    assert inbox.lines.empty() and not inbox._pieces


def test_a_long_line_is_refused_and_the_next_answered():
    inbox, events = Inbox(), io.StringIO()
    inbox.take(b'{"run": ["' + b"a" * 20_000_000 + b'"]}\n{"run": ["info"]}\n')
    serve(inbox, events, Cancel(), "cpu", idle_s=0.3)
    said = [json.loads(line)["message"] for line in events.getvalue().splitlines()]
    assert len(said) == 2 and "is longer than" in said[0] and "can't run info" in said[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["landcover", "a.tif"], "can't be used: the following arguments are required: OUTPUT"),
        (["landcover", "a.tif", "b.tif", "--batch-size", "few"], "'few' is not a whole number"),
        (["--help"], "ask for help"),
        (["--version"], "ask for help"),
        ([], "required: command"),
        (["serve"], "can't run serve"),
        (["info"], "can't run info"),
        ("landcover", "not a run"),
        (["landcover", 1], "not a run"),
    ],
)
def test_invalid_runs_are_refused_without_printing(arguments, message, capfd):
    with pytest.raises(InputError, match=message) as refusal:
        run_options(json.dumps({"run": arguments}).encode())
    assert refusal.value.hint and capfd.readouterr() == ("", "")


def test_runs_and_queries_are_distinguished():
    options = run_options(b'{"run": ["similarity", "a.tif", "b.tif", "--point", "-1e-05", "2"]}')
    assert options.command == "similarity" and options.point == [[-1e-05, 2]]
    for line in (b'{"input": "a.tif"}', b"[]", b"{"):
        assert run_options(line) is None
    with pytest.raises(InputError, match="not a run"):
        run_options(b'{"run": ["landcover", "a.tif", "b.tif"], "points": []}')


class Process:
    """A warm worker process."""

    def __init__(self, repo_root, environment):
        command = [sys.executable, "-m", "backend", "serve", "--device", "cpu"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=repo_root, env=environment, text=True, **pipes)

    def events(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        events = [json.loads(self.process.stdout.readline())]
        while events[-1]["event"] not in ("result", "error"):
            events.append(json.loads(self.process.stdout.readline()))
        return events

    def run(self, *arguments):
        return self.events(json.dumps({"run": [str(text) for text in arguments]}))


@pytest.fixture
def process(repo_root, worker_environment):
    """A worker that is ended by the test and must print nothing on standard error."""
    worker = Process(repo_root, worker_environment)
    with worker.process:
        yield worker
        worker.process.stdin.close()
        # 130 if it was still importing PyTorch, which can't be interrupted.
        assert worker.process.wait(timeout=20) in (0, 130) and worker.process.stderr.read() == ""


RUNS = {
    "landcover": ["--confidence", "{}/c.tif", "--probabilities", "{}/p.tif"],
    "attention": ["--heads", "all", "--masks", "{}/m.tif"],
    "embed": ["--pca", "{}/pca.tif"],
    "similarity": ["--point", 500_505, 4_599_495],
}


def test_a_warm_worker_writes_what_separate_runs_write(process, cli, make_raster, scene_db, tiny_model, tmp_path):
    """Also after refusals, a raster with damaged data, and queries."""
    scene, events = make_raster(scene_db(100, 140)), {}
    bad = make_raster(scene_db(100, 140), "bad.tif", compress="deflate")
    content = bad.read_bytes()
    bad.write_bytes(content[:50_000] + bytes(10_000) + content[60_000:])
    for turn in ("first", "second", "alone"):
        folder = tmp_path / turn
        folder.mkdir()
        for command, own in RUNS.items():
            options = [str(text).format(folder) for text in own]
            words = [command, scene, folder / f"{command}.tif", *options, "--model", tiny_model, "--progress", "json"]
            if turn != "alone":
                events[turn, command] = process.run(*words)
            else:
                events[turn, command] = [json.loads(line) for line in cli(*words)[1].splitlines()]
        if turn == "first":
            assert process.run("landcover")[-1]["event"] == "error"
            assert "exists" in process.run(*words)[-1]["message"]
            assert "damaged" in process.run("landcover", bad, tmp_path / "b.tif", "--model", tiny_model)[-1]["message"]
            query = {"input": str(scene), "points": [at(3, 3)], "output": str(tmp_path / "q.tif")}
            assert process.events(json.dumps({**query, "model": str(tiny_model)}))[-1]["event"] == "result"
    names = sorted(path.name for path in (tmp_path / "alone").glob("*.tif"))
    assert len(names) == 8
    for name in names:
        first, *others = (read(tmp_path / turn / name) for turn in ("first", "second", "alone"))
        for other in others:
            # Numbers of threads may differ, and with them the last bits of floats.
            tolerance = 0 if first.dtype == np.uint8 else 1e-6
            np.testing.assert_allclose(other, first, rtol=tolerance, atol=tolerance, err_msg=name)
    for command in RUNS:
        kinds = [[e["event"] for e in events[turn, command] if e["event"] != "progress"] for turn in ("first", "alone")]
        facts = [set(events[turn, command][-1]) for turn in ("first", "alone")]
        assert kinds[0] == kinds[1] and facts[0] == facts[1]
    assert list(tmp_path.rglob(".*sardino-part*")) == [] and not (tmp_path / "b.tif").exists()


def test_a_result_has_timings(cli, make_raster, scene_db, tiny_model, tmp_path):
    scene = make_raster(scene_db(60, 60))
    _, out, _ = cli("landcover", scene, tmp_path / "o.tif", "--model", tiny_model, "--progress", "json")
    result = json.loads(out.splitlines()[-1])
    assert list(result["timings"]) == ["check", "load", "run", "write"]
    assert sum(result["timings"].values()) == pytest.approx(result["seconds"], abs=0.01)


def test_cleanups_of_a_run_are_removed_at_its_end():
    cancel = Cancel()
    cancel.on_deadline(print)
    with pytest.raises(InputError), cancel.cleanup_scope():
        cancel.on_deadline(repr)
        raise InputError("x")
    assert cancel._cleanups == [print]


def test_a_worker_answers_refuses_and_ends_with_its_input(
    make_raster, scene_db, tiny_model, worker_environment, repo_root, tmp_path
):
    scene = make_raster(scene_db(60, 60))
    worker = Process(repo_root, worker_environment)
    with worker.process as process:

        def last_event(line):
            return worker.events(line)[-1]

        query = {"input": str(scene), "output": str(tmp_path / "q.tif"), "model": str(tiny_model)}
        assert last_event("nonsense")["event"] == "error"
        assert last_event(json.dumps({**query, "points": [at(30, 30)]}))["event"] == "result"
        assert last_event(json.dumps({**query, "points": [[0, 0]]}))["event"] == "error"
        assert last_event(json.dumps({**query, "points": [at(40, 30)]}))["seconds"] < 5
        began = time.monotonic()
        process.stdin.close()
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - began < 10
        assert process.stderr.read() == ""


def test_an_idle_worker_ends_by_itself(worker_environment, repo_root):
    command = [sys.executable, "-m", "backend", "serve", "--idle-minutes", "0"]
    with subprocess.Popen(command, cwd=repo_root, env=worker_environment, stdin=subprocess.PIPE) as process:
        assert process.wait(timeout=60) == 0


def test_runs_without_a_device_use_the_worker_device(make_raster, scene_db, tiny_model, tmp_path):
    from backend.engines.pytorch import available_devices

    absent = next(device for device in ("mps", "cuda") if device not in available_devices())
    scene, inbox, events = make_raster(scene_db(20, 20)), Inbox(), io.StringIO()
    words = ["landcover", str(scene), str(tmp_path / "o.tif"), "--model", str(tiny_model)]
    for arguments in (words, [*words, "--device", "auto"], [*words, "--device", "cpu"]):
        inbox.take(json.dumps({"run": arguments}).encode() + b"\n")
    serve(inbox, events, Cancel(), absent, idle_s=1.0)
    ends = [e for e in map(json.loads, events.getvalue().splitlines()) if e["event"] in ("result", "error")]
    assert [end["event"] for end in ends] == ["error", "error", "result"] and absent in ends[0]["message"].lower()
