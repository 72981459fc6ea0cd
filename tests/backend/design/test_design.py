"""The command `design`: points at random within classes, apart, filled in, and on to `accuracy`."""

import json

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from backend.__main__ import main
from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.errors import Cancelled
from backend.design.command import DesignRequest
from backend.design.command import design as make
from backend.design.next_command import NextRequest, next_samples

SIDE = 600
UTM = from_origin(4e5, 5.2e6, 10, 10)


@pytest.fixture
def class_map(tmp_path):
    """Write a map of patches of 20 pixels: much forest and field, some water, few towns; returns its path."""
    rng = np.random.default_rng(0)
    patches = rng.choice([10, 30, 80, 50], size=(SIDE // 20,) * 2, p=[0.5, 0.35, 0.13, 0.02]).astype(np.uint8)
    values = np.kron(patches, np.ones((20, 20), np.uint8))
    values[:60, :100] = 0
    return write(tmp_path / "map.tif", values)


def write(path, values, crs="EPSG:32633", transform=UTM):
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "nodata": 0, "crs": crs, "transform": transform}
    with rasterio.open(path, "w", height=values.shape[0], width=values.shape[1], **profile) as file:
        file.write(values, 1)
        file.write_colormap(1, {10: (0, 100, 0), 30: (232, 214, 108)})
    return path


def design(*arguments):
    return main(["design", *map(str, arguments), "--progress", "none"])


def read(path):
    return json.loads(path.read_text())


def pixels(document, transform=UTM):
    xy = np.array([feature["geometry"]["coordinates"] for feature in document["features"]])
    columns, rows = ~transform * (xy[:, 0], xy[:, 1])
    return rows, columns


def test_points_lie_in_pixels_of_their_class_and_apart(class_map, tmp_path, capsys):
    out = tmp_path / "samples.geojson"
    assert main(["design", str(class_map), str(out), "--standard-error", "0.02", "--progress", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = read(out)
    assert found["crs"]["properties"]["name"].endswith("EPSG::32633")
    rows, columns = pixels(found)
    np.testing.assert_allclose(rows % 1, 0.5)
    np.testing.assert_allclose(columns % 1, 0.5)
    with rasterio.open(class_map) as file:
        values = file.read(1)[rows.astype(int), columns.astype(int)]
    facts = [feature["properties"] for feature in found["features"]]
    assert [each["map_class"] for each in facts] == values.tolist()
    assert [each["id"] for each in facts] == list(range(1, len(facts) + 1))
    assert all(each["reference"] is None and each["note"] is None for each in facts)
    apart = np.hypot(rows[:, None] - rows, columns[:, None] - columns) + np.eye(len(rows)) * 99
    assert apart.min() >= 5 - 0.05  # the map's metres are not quite those on the ground
    counts = {value: int((values == value).sum()) for value in (10, 30, 50, 80)}
    assert counts[50] == 50 and counts[10] > counts[30] > counts[80] >= 50
    # Nobody can tell the class from the order.
    assert 0.2 < np.mean(values[: len(values) // 2] == 10) / np.mean(values == 10) < 1.8
    result = events[-1]
    assert result["points"] == len(facts) and result["expected_standard_error"] <= 0.02
    assert {c["value"]: c["points"] for c in result["classes"]} == counts
    done = [(e["done"], e["total"]) for e in events if e["event"] == "progress"]
    assert done[-1][0] == done[-1][1] and [d for d, _ in done] == sorted(d for d, _ in done)


def test_a_seed_draws_the_same_points_and_another_one_others(class_map, tmp_path):
    paths = [tmp_path / f"{name}.geojson" for name in "abc"]
    for path, seed in zip(paths, (1, 1, 2)):
        assert design(class_map, path, "--seed", seed, "--standard-error", 0.03) == 0
    first, second, third = (read(path)["features"] for path in paths)
    assert first == second and first != third


def test_filled_in_the_points_give_the_error_that_was_wanted(class_map, tmp_path, capsys):
    """Six simulated truths: the standard error is near the wanted one, and the intervals hold the true accuracy."""
    rng, held, errors = np.random.default_rng(1), 0, []
    with rasterio.open(class_map) as file:
        values = file.read(1)
    wrong = rng.random(values.shape) < np.select([values == 50, values == 80], [0.4, 0.1], 0.2)
    truth = np.where(wrong, np.where(values == 10, 30, 10), values)
    accuracy = 1 - wrong[values > 0].mean()
    for seed in range(6):
        out = tmp_path / f"s{seed}.geojson"
        expected = ["--expected", "50=0.6,80=0.9", "--standard-error", 0.015, "--seed", seed]
        assert design(class_map, out, *expected) == 0
        document = read(out)
        rows, columns = pixels(document)
        for feature, row, column in zip(document["features"], rows.astype(int), columns.astype(int)):
            feature["properties"]["reference"] = str(truth[row, column])  # as the form's list gives it
        out.write_text(json.dumps(document))
        figures = tmp_path / f"f{seed}.json"
        call = ["accuracy", str(class_map), str(out), str(tmp_path / f"r{seed}.html"), "--field", "reference"]
        assert main([*call, "--json", str(figures), "--progress", "none"]) == 0
        found = read(figures)["estimates"]["overall_accuracy"]
        errors.append(found["standard_error"])
        held += abs(found["estimate"] - accuracy) <= 1.96 * found["standard_error"]
    assert np.mean(errors) == pytest.approx(0.015, rel=0.1) and max(errors) < 0.018
    assert held >= 5
    capsys.readouterr()


def test_points_are_uniform_on_the_ground_in_degrees(tmp_path):
    """Of a map from 0 to 80 degrees north, half of the area lies below 29.5 degrees."""
    values, transform = np.full((800, 40), 10, np.uint8), from_origin(0, 80, 0.1, 0.1)
    path = write(tmp_path / "m.tif", values, "EPSG:4326", transform)
    out = tmp_path / "s.geojson"
    assert design(path, out, "--standard-error", 0.01, "--distance", 0) == 0
    found = read(out)
    assert "crs" not in found
    latitude = np.array([feature["geometry"]["coordinates"][1] for feature in found["features"]])
    assert len(latitude) > 1500
    assert np.mean(latitude < 29.5) == pytest.approx(0.5, abs=0.04)


def test_a_class_without_room_gets_fewer_points_and_is_told(tmp_path, capsys):
    values = np.full((100, 100), 10, np.uint8)
    values[50:55, 50:55] = 80
    path, out = write(tmp_path / "m.tif", values), tmp_path / "s.geojson"
    assert design(path, out, "--standard-error", 0.05, "--distance", 20) == 0
    counts = [feature["properties"]["map_class"] for feature in read(out)["features"]]
    # Two pixels apart, a square of five has room for nine at best, and at random for fewer.
    assert 4 <= counts.count(80) <= 9 and counts.count(10) >= 50
    call = ["design", str(path), str(out), "--standard-error", "0.05", "--distance", "0", "--overwrite"]
    assert main([*call, "--progress", "json"]) == 0
    assert "80 has room for 25 points only" in capsys.readouterr().out
    counts = [feature["properties"]["map_class"] for feature in read(out)["features"]]
    assert counts.count(80) == 25


def test_a_map_without_crs_has_distances_in_pixels(tmp_path):
    values = np.random.default_rng(0).choice([1, 2], size=(150, 150)).astype(np.uint8)
    path, out = write(tmp_path / "m.tif", values, None, from_origin(0, 150, 1, 1)), tmp_path / "s.geojson"
    assert design(path, out, "--standard-error", 0.04) == 0
    rows, columns = pixels(read(out), from_origin(0, 150, 1, 1))
    apart = np.hypot(rows[:, None] - rows, columns[:, None] - columns) + np.eye(len(rows)) * 99
    assert apart.min() >= 5


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--standard-error", "0"], "not between 0 and 0.5"),
        (["--accuracy", "1"], "not between 0 and 1"),
        (["--expected", "80=1.5"], "of 80 is not between"),
        (["--expected", "Lake=0.9"], "no class 'Lake'; it has: 10, 30, 50, 80"),
        (["--per-class", "1"], "too few"),
        (["--distance", "-1"], "is not possible"),
        (["--ignore", "10", "30", "50", "80"], "no valid pixel"),
        (["--standard-error", "0.0001"], "more than 100,000"),
    ],
)
def test_what_makes_no_sense_is_refused(class_map, tmp_path, capsys, options, match):
    assert main(["design", str(class_map), str(tmp_path / "s.geojson"), *options, "--progress", "none"]) == 1
    assert match in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"map.tif"}


def test_another_format_is_refused_and_an_existing_file_kept(class_map, tmp_path, capsys):
    assert design(class_map, tmp_path / "s.gpkg") == 1 and "such as s.geojson" in capsys.readouterr().err
    out = tmp_path / "s.geojson"
    out.write_text("mine")
    assert design(class_map, out) == 1 and out.read_text() == "mine"
    assert not (tmp_path / "s.qml").exists()
    assert design(class_map, class_map, "--overwrite") == 1


@pytest.mark.parametrize("command", ["design", "nextsamples"])
def test_a_cancel_leaves_nothing_and_keeps_the_older_layer(class_map, tmp_path, command):
    out, style = tmp_path / "s.geojson", tmp_path / "s.qml"
    out.write_text("mine"), style.write_text("mine too")
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        if command == "design":
            make(DesignRequest(str(class_map), out, overwrite=True), Context(cancel=cancel))
        else:
            margin = tmp_path / "m.tif"
            with rasterio.open(margin, "w", driver="GTiff", dtype="float32", count=1, height=9, width=9) as file:
                file.write(np.ones((9, 9), np.float32), 1)
            next_samples(NextRequest(str(margin), out, overwrite=True), Context(cancel=cancel))
    assert out.read_text() == "mine" and style.read_text() == "mine too"
    assert not {path.name for path in tmp_path.iterdir()} - {"map.tif", "m.tif", "s.geojson", "s.qml"}


def test_points_of_another_map_are_told_by_accuracy(class_map, tmp_path, capsys):
    out = tmp_path / "s.geojson"
    assert design(class_map, out, "--standard-error", 0.05) == 0
    document = read(out)
    for feature in document["features"]:
        feature["properties"]["reference"] = "10"
    out.write_text(json.dumps(document))
    with rasterio.open(class_map) as file:
        values = file.read(1)
    other = write(tmp_path / "other.tif", np.where(values == 50, 30, values).astype(np.uint8))
    towns = sum(feature["properties"]["map_class"] == 50 for feature in document["features"])
    call = [str(out), str(tmp_path / "r.html"), "--field", "reference", "--overwrite", "--progress", "json"]
    assert main(["accuracy", str(other), *call]) == 0
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    warnings = [event["message"] for event in logged if event.get("level") == "warning"]
    assert len(warnings) == 1 and f"{towns} of {len(document['features'])} points were drawn" in warnings[0]
    assert "belong to another map" in (tmp_path / "r.html").read_text()
    assert main(["accuracy", str(class_map), *call]) == 0
    assert "another map" not in capsys.readouterr().out
