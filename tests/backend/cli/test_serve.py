"""The worker that stays: what it is asked, what it keeps, when it ends."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
import rasterio
from affine import Affine

from backend.cli import similarity_server as module
from backend.cli.serve import Inbox, run_options
from backend.cli.similarity_server import KEPT, MOST_PIXELS, Oracle, Question, region
from backend.core.cancel import Cancel
from backend.core.errors import InputError
from backend.core.events import JsonReporter
from backend.raster.grid import Grid
from tests.support.maps import read


class Events:
    """Where a JsonReporter writes."""

    def __init__(self):
        self.lines = []

    def write(self, text):
        self.lines.append(json.loads(text))

    def flush(self):
        pass

    def kinds(self):
        return [line["event"] for line in self.lines]


@pytest.fixture
def ask(tiny_model, tmp_path):
    """Ask one oracle; the events, and the layer that it wrote."""
    oracle = Oracle("cpu", Cancel())

    def call(scene, *points, name="q.tif", view=None):
        events = Events()
        question = Question(str(scene), tuple(points), tmp_path / name, view, model=str(tiny_model))
        oracle.answer(question, JsonReporter(events))
        with rasterio.open(tmp_path / name) as file:
            return events, file.read(1), file.transform

    call.oracle = oracle
    return call


def at(row, column):
    return 500_005 + 10 * column, 4_599_995 - 10 * row


def test_the_answer_is_that_of_the_command(ask, cli, make_raster, scene_db, tiny_model, tmp_path):
    db = scene_db(100, 140)
    db[:, :20, :30] = np.nan
    scene = make_raster(db)
    points = [at(50, 70), at(90, 9)]
    options = [text for x, y in points for text in ("--point", x, y)]
    code, _, _ = cli("similarity", scene, tmp_path / "s.tif", "--model", tiny_model, "--grid", "patch", *options)
    assert code == 0
    events, values, transform = ask(scene, *points)
    with rasterio.open(tmp_path / "s.tif") as file:
        assert transform == file.transform
        np.testing.assert_allclose(values, file.read(1), atol=1e-5)
    assert (tmp_path / "q.qml").exists()
    assert events.lines[-1]["outputs"] == {"output": str(tmp_path / "q.tif")}


def test_the_scene_is_read_once_until_it_changes(ask, make_raster, scene_db):
    scene = make_raster(scene_db(100, 100))
    assert "start" in ask(scene, at(50, 50))[0].kinds()
    again, values, _ = ask(scene, at(9, 9))
    assert again.kinds() == ["result"] and values[1, 1] == pytest.approx(1, abs=1e-5)
    make_raster(scene_db(100, 110))
    events, values, _ = ask(scene, at(50, 50))
    assert "start" in events.kinds() and values.shape == (13, 14)


def test_only_a_few_scenes_are_kept(ask, make_raster, scene_db):
    scenes = [make_raster(scene_db(20, 20), f"{number}.tif") for number in range(KEPT + 1)]
    for scene in scenes:
        ask(scene, at(5, 5))
    assert len(ask.oracle._scenes) == KEPT
    assert ask(scenes[-1], at(6, 6))[0].kinds() == ["result"]
    assert "start" in ask(scenes[0], at(6, 6))[0].kinds()


def test_of_a_large_raster_the_view_is_read_or_a_square_about_the_point(ask, make_raster, scene_db, monkeypatch):
    monkeypatch.setattr(module, "MOST_PIXELS", 64 * 64)
    scene = make_raster(scene_db(200, 300))
    view = (501_000, 4_599_000, 501_500, 4_599_500)
    _, values, transform = ask(scene, at(60, 120), view=view)
    assert transform == Affine(80, 0, 501_000, 0, -80, 4_599_500) and values.shape == (7, 7)
    # A click within what is kept costs nothing, even where the view has moved on.
    assert ask(scene, at(70, 110), view=(501_050, 4_598_900, 501_550, 4_599_400))[0].kinds() == ["result"]
    _, values, transform = ask(scene, at(199, 0), view=(499_000, 4_590_000, 509_000, 4_610_000))
    assert transform == Affine(80, 0, 500_000, 0, -80, 4_600_000 - 136 * 10) and values.shape == (8, 8)
    with pytest.raises(InputError, match="too far apart"):
        ask(scene, at(0, 0), at(199, 299))


def test_points_without_an_answer_are_refused_and_leave_no_file(ask, make_raster, scene_db, tmp_path):
    db = scene_db(40, 40)
    db[:, :16, :16] = np.nan
    scene = make_raster(db)
    for point, message in ((at(3, 3), "no data"), ((0, 0), "outside")):
        with pytest.raises(InputError, match=message):
            ask(scene, point)
    with pytest.raises(InputError, match="input"):
        ask(scene, at(30, 30), name=scene.name)
    assert {path.suffix for path in tmp_path.iterdir()} == {".tif"} and len(list(tmp_path.iterdir())) == 1


def test_region_keeps_its_bound_for_any_raster():
    for width, height, factor in ((10_980, 10_980, 1.0), (200_000, 30, 1.0), (5000, 5000, 4.0), (3000, 4000, 0.25)):
        grid = Grid(None, Affine(10, 0, 0, 0, -10, 0), width, height)
        for point in ((5, -5), (width * 10 - 5, 5 - height * 10), (width * 5, -height * 5)):
            part = region(grid, factor, None, point)
            assert part.width * part.height <= max(MOST_PIXELS * factor, 1)
            x, y = ~part.transform * point
            assert 0 <= x <= part.width and 0 <= y <= part.height


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[1]",
        b'{"input": "a.tif", "points": [[1, 2]]}',
        b'{"input": "a.tif", "points": [[1]], "output": "b.tif"}',
        b'{"input": "a.tif", "points": [[1, 2]], "output": "b.tif", "view": [1, 2]}',
        b'{"input": "a.tif", "points": [[1, 2]], "output": "b.tif", "units": "bels"}',
        b'{"input": "a.tif", "points": [[1, 2]], "output": "b.tif", "colour": "red"}',
        b"\xff\xfe",
    ],
)
def test_lines_that_are_no_questions_are_refused(line):
    with pytest.raises(InputError) as refusal:
        Question.parse(line)
    assert refusal.value.hint


def test_lines_come_whole_however_the_bytes_come():
    inbox = Inbox()
    for byte in b'{"a": 1}\n\n  \n{"b"':
        inbox.take(bytes([byte]))
    inbox.take(b': 2}\n{"c": 3}')
    assert [inbox.lines.get_nowait() for _ in range(inbox.lines.qsize())] == [b'{"a": 1}', b'{"b": 2}']


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["landcover", "a.tif"], "can't be used: the following arguments are required: OUTPUT"),
        (["landcover", "a.tif", "b.tif", "--batch-size", "few"], "invalid _whole value: 'few'"),
        (["--help"], "ask for help"),
        (["--version"], "ask for help"),
        ([], "required: command"),
        (["serve"], "can't be serve"),
        (["info"], "can't be info"),
        ("landcover", "no run"),
        (["landcover", 1], "no run"),
    ],
)
def test_runs_that_are_none_are_refused_without_a_word_elsewhere(arguments, message, capfd):
    with pytest.raises(InputError, match=message) as refusal:
        run_options(json.dumps({"run": arguments}).encode())
    assert refusal.value.hint and capfd.readouterr() == ("", "")


def test_a_run_is_told_from_a_question():
    options = run_options(b'{"run": ["similarity", "a.tif", "b.tif", "--point", "-1e-05", "2"]}')
    assert options.command == "similarity" and options.point == [[-1e-05, 2]]
    for line in (b'{"input": "a.tif"}', b"[]", b"{"):
        assert run_options(line) is None
    with pytest.raises(InputError, match="no run"):
        run_options(b'{"run": ["landcover", "a.tif", "b.tif"], "points": []}')


class Process:
    """A worker that stays, talked with."""

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
    """One that is ended, and has nothing to say on its standard error."""
    worker = Process(repo_root, worker_environment)
    with worker.process:
        yield worker
        worker.process.stdin.close()
        # 130 where it was still loading PyTorch, which hears nothing.
        assert worker.process.wait(timeout=20) in (0, 130) and worker.process.stderr.read() == ""


RUNS = {
    "landcover": ["--confidence", "{}/c.tif", "--probabilities", "{}/p.tif"],
    "attention": ["--heads", "all", "--masks", "{}/m.tif"],
    "embed": ["--pca", "{}/pca.tif"],
    "similarity": ["--point", 500_505, 4_599_495],
}


def test_runs_of_one_process_write_what_runs_of_their_own_do(process, cli, make_raster, scene_db, tiny_model, tmp_path):
    """Also after refusals, a raster that is damaged in the midst, and questions."""
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
            question = {"input": str(scene), "points": [at(3, 3)], "output": str(tmp_path / "q.tif")}
            assert process.events(json.dumps({**question, "model": str(tiny_model)}))[-1]["event"] == "result"
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


def test_a_result_tells_where_its_time_went(cli, make_raster, scene_db, tiny_model, tmp_path):
    scene = make_raster(scene_db(60, 60))
    _, out, _ = cli("landcover", scene, tmp_path / "o.tif", "--model", tiny_model, "--progress", "json")
    result = json.loads(out.splitlines()[-1])
    assert list(result["timings"]) == ["check", "import", "load", "run", "write"]
    assert sum(result["timings"].values()) == pytest.approx(result["seconds"], abs=0.01)


def test_a_run_that_is_refused_does_not_wait_for_pytorch(process, tmp_path):
    began = time.monotonic()
    (event,) = process.run("landcover", tmp_path / "nothing.tif", tmp_path / "o.tif")
    assert "no file" in event["message"] and time.monotonic() - began < 2


def test_what_a_run_adds_for_the_deadline_is_forgotten_with_it():
    cancel = Cancel()
    cancel.on_deadline(print)
    with pytest.raises(InputError), cancel.forgetting():
        cancel.on_deadline(repr)
        raise InputError("x")
    assert cancel._cleanups == [print]


def test_a_process_answers_refuses_and_ends_with_its_input(
    make_raster, scene_db, tiny_model, worker_environment, repo_root, tmp_path
):
    scene = make_raster(scene_db(60, 60))
    worker = Process(repo_root, worker_environment)
    with worker.process as process:

        def last_event(line):
            return worker.events(line)[-1]

        question = {"input": str(scene), "output": str(tmp_path / "q.tif"), "model": str(tiny_model)}
        assert last_event("nonsense")["event"] == "error"
        assert last_event(json.dumps({**question, "points": [at(30, 30)]}))["event"] == "result"
        assert last_event(json.dumps({**question, "points": [[0, 0]]}))["event"] == "error"
        assert last_event(json.dumps({**question, "points": [at(40, 30)]}))["seconds"] < 5
        began = time.monotonic()
        process.stdin.close()
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - began < 10
        assert process.stderr.read() == ""


def test_a_process_that_nobody_asks_ends_by_itself(worker_environment, repo_root):
    command = [sys.executable, "-m", "backend", "serve", "--idle-minutes", "0"]
    with subprocess.Popen(command, cwd=repo_root, env=worker_environment, stdin=subprocess.PIPE) as process:
        assert process.wait(timeout=60) == 0
