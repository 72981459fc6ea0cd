"""Own classes from several scenes: neighbours, other projections, other dates."""

from __future__ import annotations

import json

import numpy as np
import pytest
from affine import Affine
from rasterio.warp import transform_geom

from backend.__main__ import main
from backend.card.model_card import ModelCard
from backend.maps.pca import Scatter
from tests.support.geotiffs import write
from tests.support.samples import UTM, collection, feature, square

SIZE = 128
EAST = {"crs": "EPSG:32633", "transform": Affine(10, 0, 5e5 + 40_000, 0, -10, 5e6)}


def raster(path, levels, grid, seed=0):
    """Write a scene with as many columns of land, each of another level."""
    rng = np.random.default_rng(seed)
    level = np.repeat(levels, SIZE // len(levels)).astype(float)
    values = rng.normal(0, 1.5, (2, SIZE, SIZE)) + np.array([0.0, -6.0])[:, None, None] + level
    return write(path, values.astype(np.float32), ("VV", "VH"), **grid)


def drawn(left, names, rows=range(20, 1240, 200)):
    """Return polygons in columns of a scene whose left edge is `left`, one column for each name."""
    width = 10 * SIZE // len(names)
    return [feature(square(left + width * (i + 0.4), 5e6 - y, 60), name) for i, name in enumerate(names) for y in rows]


@pytest.fixture(autouse=True)
def small_forests(monkeypatch):
    """Grow a quarter of the trees: what is tested here doesn't depend on their number."""
    for module in ("forest", "learn"):
        monkeypatch.setattr(f"backend.own_classes.{module}.PORTIONS", 2)


@pytest.fixture
def samples(tmp_path):
    def make(features, crs="EPSG:32633"):
        path = tmp_path / "s.geojson"
        path.write_text(json.dumps(collection(features, crs={"type": "name", "properties": {"name": crs}})))
        return path

    return make


@pytest.fixture
def train(tmp_path, tiny_model, capsys):
    """Run the command; returns its result, what it said, and the card."""

    def call(scenes, samples, *more):
        first, *further = map(str, scenes)
        options = ["--samples", str(samples), "--field", "cover", "--model", str(tiny_model), "--device", "cpu"]
        options += [word for each in further for word in ("--also", each)]
        capsys.readouterr()
        code = main(["train", first, str(tmp_path / "own"), *options, "--overwrite", "--progress", "json", *more])
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        if code:
            return events[-1]["message"], [], None
        said = [event["message"] for event in events if event["event"] == "log"]
        done = [(event["done"], event["total"]) for event in events if event["event"] == "progress"]
        assert done[-1][0] == done[-1][1] and [d for d, _ in done] == sorted(d for d, _ in done)
        assert sum(event["event"] == "start" for event in events) == 1
        return events[-1], said, ModelCard.load(tmp_path / "own" / "card.json")

    return call


def test_samples_are_used_with_the_scene_that_they_lie_in(tmp_path, samples, train):
    """Water lies in one scene only, town in the other one only, and forest in both; some samples lie in none."""
    west = raster(tmp_path / "west.tif", (-22, -9), UTM)
    east = raster(tmp_path / "east.tif", (0, -9), EAST, seed=1)
    nowhere = feature(square(5e5 + 20_000, 5e6, 60), "forest")
    path = samples([*drawn(5e5, ("water", "forest")), *drawn(5e5 + 40_000, ("town", "forest")), nowhere])
    result, said, card = train((west, east), path)
    assert result["scenes"] == ["west.tif", "east.tif"]
    assert [item.name for item in card.classes] == ["forest", "town", "water"]
    assert card.metrics["samples"]["1 forest"]["samples"] == 14 and card.metrics["samples"]["2 town"]["samples"] == 7
    assert result["held_out"]["overall_accuracy"] > 0.9
    assert any("west.tif: 14 samples" in line for line in said) and any("east.tif: 14 samples" in line for line in said)
    assert any("1 of 29 samples are left out: outside all scenes" in line for line in said)
    assert "over west.tif, east.tif" in card.trained_on[0]


def test_dates_of_one_place_are_held_out_together(tmp_path, samples, train):
    """As many blocks as with one date, though there are twice as many pixels."""
    dates = [raster(tmp_path / f"{name}.tif", (-20 + 2 * i, -9 + 2 * i), UTM, i) for i, name in enumerate("ab")]
    path = samples(drawn(5e5, ("water", "forest")))
    one, _, _ = train(dates[:1], path)
    both, _, card = train(dates, path)
    assert both["held_out"]["blocks"] == one["held_out"]["blocks"] > 1
    pixels = [sum(map(sum, found["held_out"]["confusion"])) for found in (one, both)]
    assert pixels[1] == 2 * pixels[0]
    assert card.metrics["samples"]["2 water"]["samples"] == 7


def test_a_scene_of_another_projection_shares_blocks(tmp_path, samples, train):
    first = raster(tmp_path / "a.tif", (-22, -9), UTM)
    there = transform_geom("EPSG:32633", "EPSG:32634", {"type": "Point", "coordinates": [5e5, 5e6]})["coordinates"]
    zone = {"crs": "EPSG:32634", "transform": Affine(10, 0, there[0] - 200, 0, -10, there[1] + 200)}
    second = raster(tmp_path / "b.tif", (-22, -9), zone)
    path = samples(drawn(5e5, ("water", "forest"), range(300, 1000, 200)))
    one, _, _ = train([first], path)
    both, said, _ = train([first, second], path)
    assert both["held_out"]["blocks"] == one["held_out"]["blocks"]
    assert any("b.tif: 8 samples" in line for line in said)


def test_a_scene_on_the_other_side_of_the_world_is_another_place(tmp_path, samples, train):
    far = {"crs": "EPSG:32701", "transform": Affine(10, 0, 5e5, 0, -10, 5e6)}
    first, second = raster(tmp_path / "a.tif", (-22, -9), UTM), raster(tmp_path / "b.tif", (-22, -9), far, 1)
    features = drawn(5e5, ("water", "forest"))
    degrees = [transform_geom(crs, "EPSG:4326", each["geometry"]) for crs in ("EPSG:32633", "EPSG:32701")
               for each in features]  # fmt: skip
    names = [each["properties"]["cover"] for each in features] * 2
    path = samples([feature(shape, name) for shape, name in zip(degrees, names)], "EPSG:4326")
    result, said, card = train((first, second), path)
    assert card.metrics["samples"]["2 water"]["samples"] == 14
    assert not any("left out" in line for line in said)
    assert result["held_out"]["blocks"] >= 4


def test_a_scene_without_samples_is_told_and_none_is_refused(tmp_path, samples, train):
    west, east = raster(tmp_path / "west.tif", (-22, -9), UTM), raster(tmp_path / "east.tif", (-22, -9), EAST)
    path = samples(drawn(5e5 + 40_000, ("water", "forest")))
    result, said, card = train((west, east), path)
    assert result["scenes"] == ["east.tif"] and "over east.tif" in card.trained_on[0]
    assert "No sample lies within west.tif: it is not used." in said
    path = samples([feature(square(6e5, 5e6, 60), name) for name in ("a", "a", "b")])
    message, _, _ = train((west, east), path)
    assert "No sample lies within any of the 2 scenes" in message


def test_an_extent_with_several_scenes_is_refused(tmp_path, samples, train):
    west, east = raster(tmp_path / "west.tif", (-22, -9), UTM), raster(tmp_path / "east.tif", (-22, -9), EAST)
    message, _, _ = train(
        (west, east), samples(drawn(5e5, ("a", "b"))), "--extent", "500000", "4999000", "501000", "5e6"
    )
    assert "An extent belongs to one scene" in message


def test_sums_of_parts_give_the_components_of_the_whole():
    values = np.random.default_rng(0).normal(size=(5, 90)).astype(np.float32) * np.arange(1, 6)[:, None]
    whole, parts = Scatter(5), Scatter(5)
    whole.add(values)
    for part in np.split(values, [40], axis=1):
        other = Scatter(5)
        other.add(part)
        parts.include(other)
    parts.include(Scatter(5))
    assert parts.count == whole.count
    for one, other in zip(whole.components(3).linear(), parts.components(3).linear()):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
