"""A small archive of three scenes."""

from __future__ import annotations

import pytest


@pytest.fixture
def plan(make_raster, scene_db, tmp_path):
    folder = tmp_path / "scenes"
    folder.mkdir()
    for number in (1, 2, 3):
        make_raster(scene_db(40, 50, number), f"scenes/S1_2024010{number}.tif")
    return folder


@pytest.fixture
def archive(cli, plan, tiny_model, tmp_path):
    def call(*more, out="out"):
        return cli("archive", plan, "--out", tmp_path / out, "--model", tiny_model, "--units", "db", *more)

    return call
