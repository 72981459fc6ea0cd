"""Scenes of all kinds through an archive, and a model that changes under it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from affine import Affine

from backend.archive.attempts import AttemptBook
from backend.archive.folder import ArchiveFolder
from backend.archive.plan import read_plan
from backend.archive.scene_run import do_scene
from backend.archive.scene_task import SceneTask
from backend.archive.task import TaskOptions
from backend.core.errors import ModelError
from backend.core.events import Reporter
from backend.maps.request import MapContext
from tests.support.backend.archives import PROJECTION, rows_of
from tests.support.make_safe import make_safe, simulated
from tests.support.mountain import dem_of
from tests.support.safe.orbit import Imaged, seen
from tests.support.stac.schemas import item_errors


def test_a_model_that_changes_under_an_archive_is_refused(cli, plan, tiny_model, tmp_path):
    """Other statistics of the bands make other maps: before a run, and while a scene is mapped."""
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    fixed = ("archive", plan, "--out", tmp_path / "out", "--model", model, "--units", "db")
    assert cli(*fixed)[0] == 0
    card = json.loads((model / "card.json").read_bytes())
    card["bands"][0]["mean"] += 2
    (model / "card.json").write_text(json.dumps(card))
    shutil.rmtree(tmp_path / "out/scenes/S1_20240102")
    code, _, err = cli(*fixed)
    assert code == 1 and "card_sha256 was" in err
    folder = ArchiveFolder(tmp_path / "out")
    (unit,) = (unit for unit in read_plan(str(plan)) if unit.name == "S1_20240102")
    book = AttemptBook(folder, "w", 0, 60.0)
    task = SceneTask(TaskOptions(model=str(model), units="db"), "w", folder)
    with pytest.raises(ModelError, match="begun with other options"):
        do_scene(unit, book.take(unit.name), book, task, MapContext(Reporter()))
    assert not (tmp_path / "out/scenes/S1_20240102").exists() and os.listdir(tmp_path / "out/claims") == []
    card["title"], card["bands"][0]["mean"] = "Another title", card["bands"][0]["mean"] - 2
    (model / "card.json").write_text(json.dumps(card))
    assert cli(*fixed)[0] == 0


def test_a_scene_over_the_antimeridian_and_one_without_place(make_raster, scene_db, cli, tiny_model, tmp_path):
    (tmp_path / "scenes").mkdir()
    place = Affine(10, 0, 691_700, 0, -10, 6_100_000)
    make_raster(scene_db(40, 50), "scenes/crossing.tif", crs="EPSG:32660", transform=place)
    make_raster(scene_db(40, 50), "scenes/nowhere.tif", crs=None, transform=None)
    out = tmp_path / "out"
    code, _, err = cli("archive", tmp_path / "scenes", "--out", out, "--model", tiny_model, "--units", "db")
    assert code == 0, err
    crossing, nowhere = rows_of(out)
    assert float(crossing["west"]) > 179.9 and float(crossing["east"]) < -179.9
    assert [nowhere[side] for side in ("west", "south", "east", "north")] == [""] * 4
    assert "no coordinate system" in nowhere["warnings"] and not crossing["warnings"]
    for name in ("crossing", "nowhere"):
        item = json.loads((out / f"scenes/{name}/{name}.json").read_bytes())
        item["stac_extensions"].remove(PROJECTION)
        assert item_errors(item) == []
        assert (item["geometry"] is None) == ("bbox" not in item) == (name == "nowhere")


@pytest.fixture
def served(tmp_path, repo_root):
    """A folder, and its address; served by another process, since GDAL holds this one while it waits."""
    folder = tmp_path / "served"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.support.range_server", str(folder)]
    with subprocess.Popen(command, cwd=repo_root, stdout=subprocess.PIPE, text=True) as server:
        yield folder, f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.kill()


def test_signed_assets_are_read_and_not_written_down(served, make_raster, scene_db, cli, tiny_model, tmp_path):
    folder, address = served
    for name, values in zip(("vv", "vh"), scene_db(40, 50)):
        make_raster(values[None], f"served/{name}.tif", descriptions=())
    assets = {name: {"href": f"{address}/{name}.tif?sig=SECRET"} for name in ("vv", "vh")}
    lost = {"vv": {"href": f"{address}/none.tif?sig=SECRET"}}
    items = [{"type": "Feature", "id": name, "assets": a} for name, a in (("good", assets), ("lost", lost))]
    plan = tmp_path / "items.json"
    plan.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    code, said, err = cli("archive", plan, "--out", tmp_path / "out", "--model", tiny_model, "--retries", "0")
    assert code == 1 and "1 of 2 scenes were given up, the first one, lost" in err
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"SECRET" not in written and b"vv.tif" in written and "SECRET" not in said + err


def test_products_are_corrected_as_by_the_tasks_own_command(cli, tiny_model, tmp_path):
    geometry = Imaged(shape=(120, 160))
    (tmp_path / "scenes").mkdir()
    product = make_safe(tmp_path / "scenes", seen(geometry, numbers=simulated, polarisations=("VV", "VH")))
    dem = dem_of(tmp_path / "dem.tif", geometry, lambda values, x, y: 0.3 * values, reach=0.05)
    fixed = ("--model", tiny_model, "--dem", dem, "--flatten")
    margin = ("--margin", tmp_path / "margin.tif")
    code, _, err = cli("landcover", product, tmp_path / "alone.tif", *fixed, *margin)
    assert code == 0, err
    out = tmp_path / "out"
    code, _, err = cli("archive", tmp_path / "scenes", "--out", out, *fixed, "--also", "margin")
    assert code == 0, err
    for role, alone in (("landcover", "alone.tif"), ("margin", "margin.tif")):
        with rasterio.open(next(out.glob(f"scenes/*/*_{role}.tif"))) as file, rasterio.open(tmp_path / alone) as same:
            np.testing.assert_array_equal(file.read(), same.read())
    assert "slopes was" in cli("archive", tmp_path / "scenes", "--out", out, *fixed[:4], "--also", "margin")[2]
    assert "no elevation model" in cli("archive", tmp_path / "scenes", "--out", out, "--dem", tmp_path / "x.tif")[2]


def test_results_inside_of_the_plans_folder_are_no_scenes(archive, cli, plan, tiny_model):
    for _ in range(2):
        code, _, err = cli("archive", plan, "--out", plan / "out", "--model", tiny_model, "--units", "db")
        assert code == 0, err
    assert len(read_plan(str(plan))) == len(read_plan(str(plan / "**" / "*.tif"))) == 3
