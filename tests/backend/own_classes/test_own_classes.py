"""Own classes: blocks that never leak, legends, pixels, samples as GeoJSON, and the command from end to end."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform_geom
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier

from backend.__main__ import main as backend_main
from backend.card.arch import MAX_SHARES
from backend.card.model_card import MAX_CLASSES, ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.cancel import Cancel
from backend.core.errors import Cancelled, InputError
from backend.network.focal import window_features
from backend.network.vit import build_model
from backend.network.weights import load_model
from backend.own_classes.folds import group_blocks, plan_folds
from backend.own_classes.forest import DEPTH, LEAVES, PORTION, PORTIONS, TREES, Lessons, grow, leaves_for, put_into
from backend.own_classes.legend import build_legend, read_looks
from backend.own_classes.pca import Components, Moments
from backend.own_classes.pixels import PER_SAMPLE, Places, find_pixels, unclaimed
from backend.own_classes.samples import Sample, clean, read_samples
from tests.support.geotiffs import write
from training.ownclasses import main

UTM = {"crs": "EPSG:32633", "transform": Affine(10, 0, 5e5, 0, -10, 5e6)}
SIZE = 160

# Blocks


@st.composite
def drawn(draw):
    count = draw(st.integers(2, 40))
    numbers = st.lists(st.integers(0, 700), min_size=count, max_size=count)
    rows, columns = (np.array(draw(numbers), dtype=np.int64) for _ in range(2))
    sample = np.array(draw(st.lists(st.integers(0, 12), min_size=count, max_size=count)), dtype=np.int64)
    # Samples of one class each.
    return Places(rows, columns, sample), sample % draw(st.integers(1, 4))


@settings(max_examples=30)
@given(drawn())
def test_no_sample_and_no_block_is_on_both_sides(case):
    places, classes = case
    folds = plan_folds(places, classes)
    if folds is None:
        return
    assert folds.count >= 2 and set(folds.fold) >= set(range(folds.count))
    cells = list(zip(places.rows // folds.side, places.columns // folds.side))
    for number in range(folds.count):
        held = folds.fold == number
        for names in (cells, list(places.sample)):
            inside = {name for name, out in zip(names, held) if out}
            outside = {name for name, out in zip(names, held) if not out}
            assert not inside & outside


@given(drawn(), st.sampled_from([16, 64]))
def test_groups_join_blocks_that_share_a_sample(case, side):
    places, _ = case
    groups = group_blocks(places, side)
    for names in (zip(places.rows // side, places.columns // side), places.sample):
        found = {}
        for name, group in zip(names, groups):
            assert found.setdefault(name, group) == group


def test_a_class_in_one_place_is_always_learnt_from():
    rows = np.array([0, 200, 400, 600, 0, 200, 400, 600, 300])
    places = Places(rows, rows * 0, np.arange(9))
    folds = plan_folds(places, np.array([0, 0, 0, 0, 1, 1, 1, 1, 2]))
    assert folds.fold[8] == -1 and (folds.fold >= 0).sum() >= 4
    assert plan_folds(places.take(np.array([0, 8])), np.array([0, 1])) is None


# Legends


def test_numbers_stay_and_texts_get_the_same_values_whatever_their_order():
    legend, index = build_legend([7, 254, 7], {})
    assert [(c.value, c.name) for c in legend] == [(7, "7"), (254, "254")] and index == {7: 0, 254: 1}
    one, _ = build_legend(["rice", "Tree cover", "fallow"], {})
    assert one == build_legend(["fallow", "rice", "Tree cover", "rice"], {})[0]
    assert [(c.value, c.name) for c in one] == [(1, "fallow"), (2, "rice"), (10, "Tree cover")]
    assert one[2].color == "#006400"


def test_looks_of_a_file_come_first(tmp_path):
    path = tmp_path / "legend.json"
    path.write_text(json.dumps({"a": {"name": "Alder", "color": "#102030"}, "7.0": {"name": "Seven"}, "z": {}}))
    legend, _ = build_legend(["a", "b", 7], read_looks(path))
    assert [(c.value, c.name) for c in legend] == [(1, "Alder"), (2, "b"), (7, "Seven")]
    assert legend[0].color == "#102030" and len({c.color for c in legend}) == 3


@pytest.mark.parametrize("text", ["{", "[]", '{"a": "red"}', '{"a": {"color": "url(x)"}}', None])
def test_what_is_no_legend_is_refused_with_a_hint(tmp_path, text):
    path = tmp_path / "legend.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_looks(path)
    assert caught.value.hint and "\n" not in caught.value.message


@pytest.mark.parametrize("labels", [["only"], list(range(-400, 0))])
def test_too_few_and_too_many_classes_are_refused(labels):
    with pytest.raises(InputError, match="2 to 254"):
        build_legend(labels, {})


@given(st.lists(st.one_of(st.integers(-5, 300), st.text(max_size=200)), min_size=2, max_size=60))
def test_any_classes_make_a_legend_that_a_card_takes(values):
    labels = [label for label in map(clean, values) if label is not None]
    if len(set(labels)) < 2:
        return
    legend, index = build_legend(labels, {})
    assert len({c.value for c in legend}) == len(legend) == len(set(labels))
    assert all(1 <= c.value <= 254 and 0 < len(c.name) <= 100 and c.name.isprintable() for c in legend)
    assert all(legend[index[v]].value == v for v in labels if isinstance(v, int) and 1 <= v <= 254)


# Pixels


def square(x, y, side):
    ring = [[x, y], [x + side, y], [x + side, y - side], [x, y - side], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_a_point_is_a_pixel_and_a_tiny_polygon_at_least_one():
    to = UTM["transform"]
    point = Sample({"type": "Point", "coordinates": [5e5 + 35, 5e6 - 28]}, 1)
    tiny = Sample(square(5e5 + 51, 5e6 - 51, 2), 1)
    outside = Sample(square(4e5, 5e6, 50), 1)
    found = find_pixels([point, tiny, outside, Sample(square(5e5, 5e6, 50), 1)], to, 20, 20)
    where = {n: set(zip(found.rows[found.sample == n], found.columns[found.sample == n])) for n in range(4)}
    assert where[0] == {(2, 3)} and where[1] == {(5, 5)} and where[2] == set()
    assert where[3] == {(row, column) for row in range(5) for column in range(5)}


def test_a_huge_polygon_costs_no_memory_and_no_more_say():
    found = find_pixels([Sample(square(5e5, 5e6, 1e6), 1)], UTM["transform"], 100_000, 100_000)
    assert len(found) == PER_SAMPLE and found.rows.max() > 50_000 and found.columns.max() > 50_000


def test_pixels_of_two_classes_are_nobodys_and_those_of_one_count_once():
    to = UTM["transform"]
    items = [Sample(square(5e5, 5e6, 50), 1), Sample(square(5e5 + 30, 5e6, 50), 2), Sample(square(5e5, 5e6, 50), 1)]
    found = find_pixels(items, to, 20, 20)
    kept, contested = unclaimed(items, found, to, 20, 20)
    assert contested == 10 and kept.sum() == 15 + 15
    assert set(found.columns[kept & (found.sample == 0)]) == {0, 1, 2} and not (found.sample[kept] == 2).any()
    assert set(found.columns[kept & (found.sample == 1)]) == {5, 6, 7}


def test_overlap_of_large_polygons_is_seen_though_few_of_their_pixels_are_taken():
    to = UTM["transform"]
    items = [Sample(square(5e5, 5e6, 5000), "a"), Sample(square(5e5 + 2500, 5e6, 5000), "b")]
    found = find_pixels(items, to, 1000, 1000)
    kept, contested = unclaimed(items, found, to, 1000, 1000)
    overlap = (found.columns >= 250) & (found.columns < 500)
    assert overlap.sum() > 20 and contested == overlap.sum() and (kept == ~overlap).all()


# Samples


def collection(features, **more):
    return {"type": "FeatureCollection", "features": features, **more}


def feature(geometry, label):
    return {"type": "Feature", "geometry": geometry, "properties": {"cover": label}}


DEGREES = {"type": "Point", "coordinates": [15.0, 45.0]}
BROKEN = {
    "no JSON": "{",
    "no collection": "[]",
    "deep": "[" * 50_000,
    "no field": json.dumps(collection([{"type": "Feature", "geometry": DEGREES, "properties": {"other": 1}}])),
    "lines": json.dumps(collection([feature({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, 1)])),
    "no numbers": json.dumps(collection([feature({"type": "Point", "coordinates": ["a", "b"]}, 1)])),
    "not finite": json.dumps(collection([feature({"type": "Point", "coordinates": [float("nan"), 1]}, 1)])),
    "open ring": json.dumps(collection([feature({"type": "Polygon", "coordinates": [[[0, 0]]]}, 1)])),
    "metres taken for degrees": json.dumps(collection([feature({"type": "Point", "coordinates": [5e5, 5e6]}, 1)])),
    "unknown CRS": json.dumps(collection([feature(DEGREES, 1)], crs={"properties": {"name": "EPSG:0"}})),
    "CRS of another kind": json.dumps(collection([feature(DEGREES, 1)], crs=7)),
    "no class anywhere": json.dumps(collection([feature(DEGREES, None)])),
    "features as text": json.dumps({"type": "FeatureCollection", "features": "abc"}),
    "a feature as text": json.dumps(collection(["abc"])),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_sample_file_is_refused_with_a_hint(tmp_path, text):
    path = tmp_path / "s.geojson"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_samples(path, "cover", CRS.from_epsg(32633))
    assert caught.value.hint and "\n" not in caught.value.message


def test_degrees_and_a_named_crs_lead_to_the_same_place(tmp_path):
    metres = {"type": "Point", "coordinates": [500123.0, 4999877.0]}
    there = transform_geom("EPSG:32633", "EPSG:4326", metres)
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    found = []
    for document in (collection([feature(there, " a\tb ")]), collection([feature(metres, "a b")], crs=named)):
        (tmp_path / "s.geojson").write_text(json.dumps(document))
        found.append(read_samples(tmp_path / "s.geojson", "cover", CRS.from_epsg(32633)).items[0])
    np.testing.assert_allclose(found[0].geometry["coordinates"], found[1].geometry["coordinates"], atol=0.01)
    assert found[0].label == found[1].label == "a b"


# Forest


@pytest.fixture
def lessons():
    torch.manual_seed(0)
    x = torch.randn(60, 8 + 27)
    classes = (x[:, 3] > 0).long() + 2 * (x[:, 20] > 0).long()  # of five; the last never occurs
    return Lessons(x, classes.numpy(), np.ones(60), 5, 8)


def test_trees_are_those_of_scikit_learn(lessons):
    trees = grow(lessons)
    assert trees.share.shape == (TREES, trees.child.shape[1], 5) and 1 < trees.depth <= DEPTH
    fresh = torch.randn(500, 35)
    expected = np.zeros((500, 5))
    for number in range(PORTIONS):
        first = (0, 8)[number % 2]
        forest = ExtraTreesClassifier(PORTION, max_depth=DEPTH, max_leaf_nodes=LEAVES, random_state=number)
        forest.fit(lessons.x[:, first:].numpy(), lessons.classes, lessons.weights)
        expected[:, :4] += forest.predict_proba(fresh[:, first:].numpy()) / PORTIONS
    np.testing.assert_allclose(trees.probabilities(fresh.T).numpy(), expected, atol=1e-5)
    assert torch.equal(grow(lessons).share, trees.share)


def test_trees_stay_within_what_a_card_takes():
    assert leaves_for(3) == LEAVES and 2 * TREES * leaves_for(MAX_CLASSES) * MAX_CLASSES <= MAX_SHARES
    rng = np.random.default_rng(0)
    noise = Lessons(torch.randn(3000, 14), rng.integers(0, MAX_CLASSES, 3000), np.ones(3000), MAX_CLASSES, 4)
    trees = grow(noise)
    assert trees.share.numel() <= MAX_SHARES and trees.depth <= DEPTH


def test_samples_that_are_all_alike_make_trees_of_one_leaf():
    trees = grow(Lessons(torch.zeros(4, 9), np.array([0, 0, 1, 1]), np.array([3.0, 3, 1, 1]), 2, 4))
    np.testing.assert_allclose(trees.probabilities(torch.randn(9, 3)).numpy(), [[0.75, 0.25]] * 3, atol=1e-6)


def test_cancel_ends_the_growing(lessons):
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        grow(lessons, cancel.check)


def test_components_are_those_of_standardised_tokens():
    rng = torch.Generator().manual_seed(0)
    rows = torch.randn(400, 12, generator=rng) @ torch.randn(12, 12, generator=rng) + 5
    moments = Moments(12)
    for part in rows.split(150):
        moments.add(part)
    found = moments.components(4)(rows).numpy()
    standard = ((rows - rows.mean(dim=0)) / rows.std(dim=0, correction=0)).numpy()
    expected = PCA(4).fit_transform(standard)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_a_head_answers_as_the_forest_that_was_put_into_it(own_model_card, lessons):
    torch.manual_seed(0)
    model = build_model(own_model_card).eval()
    head = model.head
    x = torch.randn(1, 2, 64, 64)
    components = Components(torch.randn(8, head.tokens.in_channels), torch.randn(8))
    trees = grow(lessons)
    put_into(head, trees, components)
    with torch.inference_mode():
        grid = model.features(x)
        found = head(x, grid).exp()[0, :, 20, 44]
        wide = torch.nn.functional.interpolate(torch.cat(grid, dim=1), (64, 64), mode="bilinear")[0, :, 20, 44]
        here = window_features(x, head.windows)[0, :, 20, 44]
        expected = trees.probabilities(torch.cat((components(wide[None])[0], here))[:, None])[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-3)


@pytest.fixture
def own_model_card(lessons):
    card, trees = ModelCard.load(model_folder(None) / CARD), grow(lessons)
    sizes = {"trees": TREES, "tree_nodes": trees.child.shape[1], "tree_depth": trees.depth}
    arch = dataclasses.replace(card.arch, head="forest", head_dim=8, windows=(3, 5, 7, 9), **sizes)
    return dataclasses.replace(card, arch=arch, classes=card.classes[:5])


# The command


@pytest.fixture
def scene(tmp_path):
    """Water left, forest right, no data at the bottom; and a file with eight polygons of each."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1.5, (2, SIZE, SIZE)) + np.array([-8.0, -14.0])[:, None, None]
    values[:, :, : SIZE // 2] -= 13
    values[:, -10:] = np.nan
    raster = write(tmp_path / "scene.tif", values.astype(np.float32), ("VV", "VH"), **UTM)
    features = [
        feature(transform_geom("EPSG:32633", "EPSG:4326", square(5e5 + x, 5e6 - y, 60)), name)
        for name, x in (("water", 300), ("forest", 1100))
        for y in range(20, 1540, 200)
    ]
    samples = tmp_path / "s.geojson"
    samples.write_text(json.dumps(collection(features)))
    return raster, samples


def test_a_raster_and_samples_become_a_model_that_maps(scene, tmp_path, capsys):
    raster, samples = scene
    legend = tmp_path / "legend.json"
    legend.write_text('{"water": {"name": "Lake", "color": "#0000ff"}}')
    out = tmp_path / "own"
    out.mkdir()  # an empty folder may be there
    call = [str(raster), str(out), "--samples", str(samples), "--field", "cover", "--title", "Mine"]
    call += ["--legend", str(legend)]
    assert main([*call, "--progress", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    result = events[-1]
    assert result["event"] == "result" and result["outputs"] == {"output": str(out)}
    assert result["held_out"]["overall_accuracy"] > 0.95 and result["held_out"]["blocks"] >= 2
    assert result["held_out"]["classes"]["2 Lake"]["blocks"] >= 2
    assert any("Few samples of forest (8), Lake (8)" in e["message"] for e in events if e["event"] == "log")
    done = [(e["done"], e["total"]) for e in events if e["event"] == "progress"]
    assert done[-1][0] == done[-1][1] and [d for d, _ in done] == sorted(d for d, _ in done)
    card = load_model(out)[1]
    assert not card.allows_missing_bands
    assert card.title == "Mine" and [c.name for c in card.classes] == ["forest", "Lake"]
    assert card.classes[1].color == "#0000ff" and card.metrics["samples"]["2 Lake"]["samples"] == 8
    assert len(card.limits) == 1 and not card.allows_missing_bands  # its own, not those of the backbone's model
    first = (out / "model.safetensors").read_bytes()
    assert main(call) == 1 and "add --overwrite" in capsys.readouterr().err
    assert main([*call, "--overwrite"]) == 0
    assert (out / "model.safetensors").read_bytes() == first  # equal runs, equal bytes
    assert {p.name for p in tmp_path.iterdir()} == {"own", "scene.tif", "s.geojson", "legend.json"}
    assert backend_main(["landcover", str(raster), str(tmp_path / "map.tif"), "--model", str(out)]) == 0
    with rasterio.open(tmp_path / "map.tif") as file:
        values = file.read(1)
    assert (values[:140, :75] == 2).mean() > 0.98 and (values[:140, 85:] == 1).mean() > 0.98
    assert not values[-10:].any()


def test_a_model_learnt_from_one_polarisation_maps_with_it(scene, tmp_path):
    raster, samples = scene
    out, one = tmp_path / "own", ["--bands", "1", "0", "--progress", "none"]
    learn = [str(raster), str(out), "--samples", str(samples), "--field", "cover"]
    assert main([*learn, *one, "--no-check"]) == 0
    assert load_model(out)[1].allows_missing_bands
    assert backend_main(["landcover", str(raster), str(tmp_path / "map.tif"), "--model", str(out), *one]) == 0
    with rasterio.open(tmp_path / "map.tif") as file:
        values = file.read(1)
    assert (values[:140, :75] == 2).mean() > 0.95 and (values[:140, 85:] == 1).mean() > 0.95


def test_samples_elsewhere_and_of_one_class_are_refused(scene, tmp_path, capsys):
    raster, samples = scene
    document = json.loads(samples.read_text())
    call = [str(raster), str(tmp_path / "own"), "--samples", str(samples), "--field", "cover"]
    samples.write_text(json.dumps(collection(document["features"][:8])))
    assert main(call) == 1 and "have 1 class (water)" in capsys.readouterr().err
    samples.write_text(json.dumps(collection([feature(DEGREES, "a"), feature(DEGREES, "b")])))
    assert main(call) == 1 and "No sample lies within" in capsys.readouterr().err
    assert not (tmp_path / "own").exists()


def test_an_environment_of_an_older_version_is_told_of_in_one_line(scene, tmp_path):
    raster, samples = scene
    program = "import sys; sys.modules['sklearn'] = None; from training.ownclasses import main; sys.exit(main())"
    call = [sys.executable, "-c", program, str(raster), str(tmp_path / "own"), "--samples", str(samples)]
    done = subprocess.run([*call, "--field", "cover"], cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert (
        done.returncode == 1 and "sklearn is not installed here" in done.stderr and "Set up the backend" in done.stderr
    )
    assert done.stderr.count("\n") == 1


def test_the_folder_of_the_backbone_is_never_replaced(scene, capsys):
    raster, samples = scene
    call = [str(raster), str(model_folder(None)), "--samples", str(samples), "--field", "cover", "--overwrite"]
    assert main(call) == 1 and "learnt from" in capsys.readouterr().err
