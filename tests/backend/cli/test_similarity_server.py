"""Test similarity queries: answers, cache, and refusals."""

import json

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.shutil import copy

from backend.cli import similarity_query
from backend.cli.similarity_query import MOST_PIXELS, Query, region
from backend.cli.similarity_server import KEPT, SimilarityServer
from backend.core.cancel import Cancel
from backend.core.errors import InputError
from backend.core.events import JsonReporter
from backend.raster.grid import Grid


class Events:
    """A stream that collects the events of a JsonReporter."""

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
    """Query a server; return the events, and values and transform of the layer it wrote."""
    server = SimilarityServer("cpu", Cancel())

    def call(scene, *points, name="q.tif", view=None):
        events = Events()
        query = Query(str(scene), tuple(points), tmp_path / name, view, model=str(tiny_model))
        server.answer(query, JsonReporter(events))
        with rasterio.open(tmp_path / name) as file:
            return events, file.read(1), file.transform

    call.server = server
    return call


def at(row, column):
    return 500_005 + 10 * column, 4_599_995 - 10 * row


def test_a_query_equals_the_similarity_command(ask, cli, make_raster, scene_db, tiny_model, tmp_path):
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


def test_sources_and_sidecars_of_a_scene_count_too(ask, make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(100, 100))
    inner, outer = tmp_path / "inner.vrt", tmp_path / "outer.vrt"
    copy(scene, inner, driver="VRT")
    copy(inner, outer, driver="VRT")
    assert "start" in ask(outer, at(50, 50))[0].kinds()
    assert ask(outer, at(9, 9))[0].kinds() == ["result"]
    with rasterio.open(scene, "r+") as file:
        file.write(np.where(np.arange(100) < 50, np.nan, file.read()).astype(np.float32))
    events, values, _ = ask(outer, at(50, 70))
    assert "start" in events.kinds() and np.isnan(values[:, 0]).all()
    for sidecar in (".aux.xml", ".msk", ".ovr"):
        (tmp_path / f"scene.tif{sidecar}").write_text("<PAMDataset></PAMDataset>")
        assert "start" in ask(outer, at(50, 70))[0].kinds(), sidecar


def test_a_scene_is_read_once_until_it_changes(ask, make_raster, scene_db):
    scene = make_raster(scene_db(100, 100))
    assert "start" in ask(scene, at(50, 50))[0].kinds()
    again, values, _ = ask(scene, at(9, 9))
    assert again.kinds() == ["result"] and values[1, 1] == pytest.approx(1, abs=1e-5)
    make_raster(scene_db(100, 110))
    events, values, _ = ask(scene, at(50, 50))
    assert "start" in events.kinds() and values.shape == (13, 14)


def test_only_a_few_scenes_are_cached(ask, make_raster, scene_db):
    scenes = [make_raster(scene_db(20, 20), f"{number}.tif") for number in range(KEPT + 1)]
    for scene in scenes:
        ask(scene, at(5, 5))
    assert len(ask.server._scenes) == KEPT
    assert ask(scenes[-1], at(6, 6))[0].kinds() == ["result"]
    assert "start" in ask(scenes[0], at(6, 6))[0].kinds()


def test_a_large_raster_is_read_in_view_or_around_the_point(ask, make_raster, scene_db, monkeypatch):
    monkeypatch.setattr(similarity_query, "MOST_PIXELS", 64 * 64)
    scene = make_raster(scene_db(200, 300))
    view = (501_000, 4_599_000, 501_500, 4_599_500)
    _, values, transform = ask(scene, at(60, 120), view=view)
    assert transform == Affine(80, 0, 500_960, 0, -80, 4_599_520) and values.shape == (7, 7)
    # A point within a cached scene is answered from the cache, even if the view has moved.
    assert ask(scene, at(70, 110), view=(501_050, 4_598_900, 501_550, 4_599_400))[0].kinds() == ["result"]
    _, values, transform = ask(scene, at(199, 0), view=(499_000, 4_590_000, 509_000, 4_610_000))
    assert transform == Affine(80, 0, 500_000, 0, -80, 4_600_000 - 136 * 10) and values.shape == (8, 8)
    with pytest.raises(InputError, match="too far apart"):
        ask(scene, at(0, 0), at(199, 299))


def test_invalid_points_are_refused_and_leave_no_file(ask, make_raster, scene_db, tmp_path):
    db = scene_db(40, 40)
    db[:, :16, :16] = np.nan
    scene = make_raster(db)
    for point, message in ((at(3, 3), "no data"), ((0, 0), "outside")):
        with pytest.raises(InputError, match=message):
            ask(scene, point)
    with pytest.raises(InputError, match="input"):
        ask(scene, at(30, 30), name=scene.name)
    assert {path.suffix for path in tmp_path.iterdir()} == {".tif"} and len(list(tmp_path.iterdir())) == 1


def test_region_is_bounded_for_any_raster():
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
def test_invalid_queries_are_refused(line):
    with pytest.raises(InputError) as refusal:
        Query.parse(line)
    assert refusal.value.hint
