"""Archives through Dask: the same results, and errors as values."""

from __future__ import annotations

import pytest

distributed = pytest.importorskip("distributed", reason="requirements/cluster.txt is not installed")


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


def test_a_scheduler_that_is_not_there_is_said(cli, make_raster, scene_db, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr("backend.archive.cluster.CONNECT_S", 0.5)
    (tmp_path / "scenes").mkdir()
    make_raster(scene_db(40, 50), "scenes/s.tif")
    fixed = ("archive", tmp_path / "scenes", "--out", tmp_path / "out", "--model", tiny_model, "--cluster")
    code, _, err = cli(*fixed, "tcp://127.0.0.1:9")
    assert code == 1 and "can't be reached" in err
    code, _, err = cli(*fixed, tmp_path / "none.json")
    assert code == 1 and "There is no file" in err
