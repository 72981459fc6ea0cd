"""Archives through Dask: the same results, and errors as values."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

distributed = pytest.importorskip("distributed", reason="requirements/cluster.txt is not installed")

from backend.archive.cluster import THREADS, _local  # noqa: E402
from backend.archive.folder import ArchiveFolder  # noqa: E402
from backend.archive.remote import FATAL, run_scene  # noqa: E402
from backend.archive.request import ArchiveRequest  # noqa: E402
from backend.archive.task import TaskOptions  # noqa: E402
from backend.archive.units import Unit  # noqa: E402
from backend.engines.graphics import usable_cards  # noqa: E402
from backend.grd.request import Slopes  # noqa: E402


@pytest.mark.slow
def test_a_local_cluster_maps_what_can_be_mapped(cli, make_raster, scene_db, tiny_model, tmp_path):
    (tmp_path / "scenes").mkdir()
    for number in (1, 2, 3):
        path = make_raster(scene_db(40, 50, number), f"scenes/s{number}.tif")
    path.write_bytes(path.read_bytes()[:200])
    code, _, err = cli(
        "archive", tmp_path / "scenes", "--out", tmp_path / "out", "--model", tiny_model, "--units", "db",
        "--cluster", "local", "--workers", "1", "--retries", "0",
    )  # fmt: skip
    assert code == 1 and "1 of 3 scenes were given up, the first one, s3" in err
    lines = (tmp_path / "out" / "manifest.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["finished", "finished", "given up"]


def facts_of_process():
    told = {name: os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", *THREADS)}
    return {**told, "deaf": signal.getsignal(signal.SIGINT) == signal.SIG_IGN}


@pytest.mark.slow
def test_each_local_worker_has_a_card_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8f6a")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    request = ArchiveRequest("plan", tmp_path, cluster="local")
    before = dict(os.environ)
    with _local(request) as cluster, distributed.Client(cluster) as client:
        told = list(client.run(facts_of_process).values())
    assert sorted(facts["CUDA_VISIBLE_DEVICES"] for facts in told) == ["3", "GPU-8f6a"]
    assert all({facts[name] for name in THREADS} == {"4"} and facts["deaf"] for facts in told)
    assert dict(os.environ) == before, "threads of later programs"


class Driver:
    """Stands for NVIDIA's library, which no machine for tests has."""

    def cuInit(self, flags):  # noqa: N802
        return 0

    def cuDeviceGetCount(self, count):  # noqa: N802
        count._obj.value = 3
        return 0


def test_cards_are_counted_by_the_driver_unless_told(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("ctypes.CDLL", lambda name: Driver())
    assert usable_cards() == ["0", "1", "2"]
    monkeypatch.setattr("ctypes.CDLL", lambda name: (_ for _ in ()).throw(OSError(name)))
    assert usable_cards() == []
    for told, cards in (("", []), ("-1", []), ("1", ["1"])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", told)
        assert usable_cards() == cards


def test_workers_get_whole_paths(monkeypatch, tiny_model):
    monkeypatch.chdir(tiny_model.parent)
    (tiny_model.parent / "dem.tif").touch()
    task = TaskOptions(model=tiny_model.name, slopes=Slopes(dem="dem.tif"))
    there = ArchiveRequest("plan", Path("out"), task).anywhere()
    assert there.out == tiny_model.parent / "out" and there.task.model == str(tiny_model)
    assert there.task.slopes.dem == str(tiny_model.parent / "dem.tif")
    named = TaskOptions(model="sardino-s1-small")
    assert ArchiveRequest("plan", Path("out"), named).anywhere().task == named


def test_a_worker_with_another_model_says_so(make_raster, scene_db, tiny_model, tmp_path):
    unit = Unit("s", (str(make_raster(scene_db(40, 50), "s.tif")),))
    request = ArchiveRequest("plan", tmp_path / "out", TaskOptions(model=str(tiny_model), units="db"))
    options = request.task.recorded(request.task.check())
    ArchiveFolder(request.out).open([unit], {**options, "model_sha256": "0" * 64})
    answer = run_scene(request, "run", unit, 0)
    assert answer.kind == FATAL and "model_sha256 was" in answer.message
    assert os.listdir(tmp_path / "out/scenes") == os.listdir(tmp_path / "out/claims") == []


def test_a_scheduler_that_is_not_there_is_said(cli, make_raster, scene_db, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr("backend.archive.cluster.CONNECT_S", 0.5)
    (tmp_path / "scenes").mkdir()
    make_raster(scene_db(40, 50), "scenes/s.tif")
    fixed = ("archive", tmp_path / "scenes", "--out", tmp_path / "out", "--model", tiny_model, "--cluster")
    code, _, err = cli(*fixed, "tcp://127.0.0.1:9")
    assert code == 1 and "can't be reached" in err
    code, _, err = cli(*fixed, tmp_path / "none.json")
    assert code == 1 and "There is no file" in err
