"""Test `change` on class maps: transitions, names, colours, areas, other grids and legends, refusals, outputs."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform

from backend.accuracy.class_names import class_names
from backend.change.command import ChangeRequest, change
from backend.core.context import Context
from backend.core.errors import Cancelled, InputError
from backend.output.styles import LEGEND_TAG
from tests.backend.change.conftest import BUILT, MERGED, OPEN, TREE, WATER, WORLDCOVER, maps
from tests.support.backend.listener import cancelled_after


@pytest.fixture
def run(tmp_path):
    """Compare two maps; return the figures of the JSON and the raster of transitions."""

    def call(before, after, **options):
        target = tmp_path / "change.tif"
        paths = {"report": tmp_path / "r.html", "json": tmp_path / "r.json", "csv": tmp_path / "r.csv"}
        change(ChangeRequest(str(before), str(after), target, **paths, overwrite=True, **options), Context())
        with rasterio.open(target) as file:
            return json.loads(paths["json"].read_text()), file.read(1)

    return call


def test_transitions_have_names_colours_and_areas(class_map, run, tmp_path):
    before, after = maps()
    before[30, 7] = 0
    facts, codes = run(class_map(before, "a.tif"), class_map(after, "b.tif"))
    found = {item["name"]: item for item in facts["transitions"]}
    assert found["Tree cover → Open land"]["pixels"] == 200 and found["Tree cover → Open land"]["area"] == 20_000
    assert found["Open land → Water or very smooth surface"]["pixels"] == 100
    assert (codes[10:20, :20] == found["Tree cover → Open land"]["code"]).all() and codes[30, 7] == 0
    assert facts["changed"]["area"] == 30_000 and facts["left_out"] == {"pixels without a class in the earlier map": 1}
    assert facts["compared"]["pixels"] == before.size - 1
    tree = facts["classes"][0]
    assert (tree["name"], tree["lost"], tree["gained"]) == ("Tree cover", 20_000, 0)
    names = class_names(str(tmp_path / "change.tif"))
    assert names[1] == "Tree cover, unchanged" and names[2] == "Tree cover → Open land"
    with rasterio.open(tmp_path / "change.tif") as file:
        colours = {value: file.colormap(1)[value][:3] for value in names}
    assert len(set(colours.values())) == len(names)
    # Unchanged is pale: little between its strongest and its weakest part.
    spread = {names[value]: max(colour) - min(colour) for value, colour in colours.items()}
    assert max(v for n, v in spread.items() if "unchanged" in n) < 70 < min(v for n, v in spread.items() if "→" in n)
    assert "Tree cover → Open land" in (tmp_path / "change.qml").read_text()


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        ("2022-07-01", "2021-07-01", "loss and gain"),
        ("2021-07-01", "2022-07-01", ""),
        ("2021-07-01", "2021-07-01", "no change to find"),
        ("2021-07-01", "", ""),
    ],
)
def test_exchanged_maps_are_warned_of(class_map, run, tmp_path, first, second, warned):
    # The names hold the days on which the maps were published.
    paths = [class_map(values, f"nlcd_{n}_20240604.tif") for values, n in zip(maps(), (2019, 2016))]
    for path, day in zip(paths, (first, second)):
        with rasterio.open(path, "r+") as file:
            file.update_tags(**({"SARDINO_ACQUIRED": day} if day else {}))
    facts, _ = run(*paths)
    assert len(facts["warnings"]) == bool(warned)
    assert all(warned in text and first in text for text in facts["warnings"])
    assert ("Warnings" in (tmp_path / "r.html").read_text()) == bool(warned)


def test_numbers_of_transitions_depend_on_the_legend_alone(class_map, run):
    before, after = maps()
    facts, _ = run(class_map(before, "a.tif"), class_map(after, "b.tif"))
    other, _ = run(class_map(np.where(before == WATER, np.uint8(BUILT), before), "c.tif"), class_map(after, "b.tif"))
    codes = [{item["name"]: item["code"] for item in each["transitions"]} for each in (facts, other)]
    assert len(codes[0].keys() & codes[1].keys()) >= 3
    assert all(codes[0][name] == codes[1][name] for name in codes[0].keys() & codes[1].keys())


def test_the_report_holds_three_pictures_and_the_csv_the_matrix(class_map, run, tmp_path):
    before, after = maps()
    run(class_map(before, "a.tif"), class_map(after, "b.tif"))
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/png;base64,") == 3 and "Tree cover → Open land" in page and "<script" not in page
    rows = list(csv.reader((tmp_path / "r.csv").read_text().splitlines()))
    assert rows[0][0] == "before \\ after (ha)" and rows[1][:3] == ["Tree cover", "20.8", "2"]
    assert float(rows[-1][-1]) == pytest.approx(48)


def test_texts_of_files_are_escaped_in_the_report(class_map, run, tmp_path):
    before, after = maps()
    named = [type(item)(item.value, f"<b>{item.name}</b>", item.color) for item in MERGED]
    run(class_map(before, "a.tif", named), class_map(after, "b.tif", named))
    assert "<b>Tree" not in (tmp_path / "r.html").read_text()


def test_another_grid_is_warped_to_that_of_the_earlier_map(class_map, run):
    before, after = maps()
    (x,), (y,) = transform("EPSG:32630", "EPSG:32631", [500_000], [4_600_000])
    moved = np.pad(after, 20, mode="edge")
    facts, codes = run(
        class_map(before, "a.tif"), class_map(moved, "b.tif", transform=from_origin(499_800, 4_600_200, 10, 10))
    )
    assert codes.shape == before.shape and facts["changed"]["pixels"] == 300
    assert any("The later map was warped to the earlier map's grid" in note for note in facts["notes"])
    assert x != 500_000 and y > 0


def test_worldcover_is_merged_for_a_map_of_four_classes(class_map, run):
    before, after = maps()
    fine = after.copy()
    fine[after == OPEN] = 40
    fine[55:, 50:60] = 20
    facts, _ = run(class_map(before, "a.tif"), class_map(fine, "b.tif", WORLDCOVER))
    assert facts["changed"]["pixels"] == 300 and any("40 Cropland into 30 Open land" in note for note in facts["notes"])
    turned, _ = run(class_map(fine, "b.tif", WORLDCOVER), class_map(before, "a.tif"))
    assert turned["changed"]["pixels"] == 300
    assert turned["transitions"][0]["name"] == "Tree cover, unchanged"


def test_classes_of_one_name_are_one_class_whatever_their_values(class_map, run):
    before, after = maps()
    table = np.zeros(256, np.uint8)
    table[[TREE, OPEN, WATER]] = [2, 1, 3]
    own = [type(MERGED[0])(value, name, "#112233") for value, name in
           ((1, "Open land"), (2, "Tree cover"), (3, "Water or very smooth surface"))]  # fmt: skip
    facts, _ = run(class_map(before, "a.tif"), class_map(table[after], "b.tif", own))
    assert facts["changed"]["pixels"] == 300
    assert any("matched by name" in note for note in facts["notes"])


def test_a_value_of_two_meanings_is_refused_until_it_is_mapped(class_map, run):
    before, after = maps()
    own = [type(item)(item.value, {OPEN: "Rice"}.get(item.value, item.name), item.color) for item in MERGED]
    first, second = class_map(before, "a.tif"), class_map(after, "b.tif", own)
    with pytest.raises(InputError, match="'Open land' in .*'Rice' in") as refusal:
        run(first, second)
    assert "--remap" in refusal.value.hint
    facts, _ = run(first, second, mapping={"Rice": OPEN})
    assert facts["changed"]["pixels"] == 300


def test_maps_without_names_are_matched_by_value(class_map, run):
    before, after = maps()
    facts, _ = run(class_map(before, "a.tif", ()), class_map(after, "b.tif", ()), ignore=[WATER])
    assert facts["changed"]["pixels"] == 200 and facts["left_out"]["ignored pixels"] == 240 + 100
    assert any("matched by value" in note for note in facts["notes"])
    assert facts["transitions"][1]["name"] == "class 10 → class 30"


def test_many_classes_number_only_what_occurs(class_map, run):
    before = np.tile(np.arange(1, 41, dtype=np.uint8), (30, 2))
    after = before.copy()
    after[:5] = 1
    facts, codes = run(class_map(before, "a.tif", ()), class_map(after, "b.tif", ()))
    assert len(facts["transitions"]) == 79 and codes.max() == 79
    crowded = np.random.default_rng(0).integers(1, 41, before.shape).astype(np.uint8)
    with pytest.raises(InputError, match="different transitions"):
        run(class_map(before, "a.tif", ()), class_map(crowded, "c.tif", ()))


REFUSALS = {
    "elsewhere": ({"transform": from_origin(700_000, 4_600_000, 10, 10)}, [], "does not overlap"),
    "option of SAR": ({}, ["--window", "5"], "--window has an effect on backscatter"),
    "field without samples": ({}, ["--field", "c"], "no effect without --samples"),
    "an input as output": ({}, ["--json", "{s}"], "is the input"),
    "two outputs of one name": ({}, ["--csv", "{o}"], "means|same path"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_say_why_and_leave_nothing(class_map, tmp_path, cli, kind):
    profile, more, match = REFUSALS[kind]
    before, after = maps()
    first, second = class_map(before, "a.tif"), class_map(after, "b.tif", **profile)
    notes, output = second.with_suffix(".json"), tmp_path / "o.tif"
    second.rename(notes)  # GDAL looks into files, not at their names
    second = notes
    there = sorted(path.name for path in tmp_path.iterdir())
    words = [text.format(s=notes, o=output) for text in more]
    code, out, err = cli("change", first, second, output, *words, "--progress", "none")
    assert code == 1 and out == "" and len(err.splitlines()) == 1 and " hint: " in err
    assert any(part in err for part in match.split("|")), err
    assert sorted(path.name for path in tmp_path.iterdir()) == there


def test_a_cancelled_run_leaves_older_outputs_as_they_were(class_map, tmp_path, monkeypatch):
    monkeypatch.setattr("backend.raster.blocks.STRIP_PIXELS", 80)
    before, after = maps()
    first, second = class_map(before, "a.tif"), class_map(after, "b.tif")
    old = {tmp_path / "o.tif": b"older", tmp_path / "o.html": b"page"}
    for path, data in old.items():
        path.write_bytes(data)
    there = sorted(path.name for path in tmp_path.iterdir())

    request = ChangeRequest(str(first), str(second), tmp_path / "o.tif", tmp_path / "o.html", overwrite=True)
    with pytest.raises(Cancelled):
        change(request, cancelled_after(71))  # in the second pass
    assert all(path.read_bytes() == data for path, data in old.items())
    assert sorted(path.name for path in tmp_path.iterdir()) == there


def test_events_of_the_command(class_map, tmp_path, cli):
    before, after = maps()
    code, out, _ = cli("change", class_map(before, "a.tif"), class_map(after, "b.tif"), tmp_path / "o.tif",
                       "--report", tmp_path / "o.html", "--progress", "json")  # fmt: skip
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and [events[0]["event"], events[-1]["event"]] == ["start", "result"]
    assert events[-1]["changed_area"] == 30_000 and set(events[-1]["outputs"]) == {"output", "report"}
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"]


def test_colours_are_those_that_the_map_brings(class_map, run):
    before, after = maps()
    tags = {LEGEND_TAG: '[[10, "Palms", "#13579b"], [30, "Open land", "#a0a0a0"], [80, "Sea", "#0000ff"]]'}
    paths = [class_map(before, "a.tif", ()), class_map(after, "b.tif", ())]
    for path in paths:
        with rasterio.open(path, "r+") as file:
            file.update_tags(**tags)
    facts, _ = run(*paths)
    found = [(item["name"], item["color"]) for item in facts["classes"]]
    assert found == [("Palms", "#13579b"), ("Open land", "#a0a0a0"), ("Sea", "#0000ff")]
