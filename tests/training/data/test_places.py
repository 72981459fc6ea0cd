"""Group the dates of a place, and draw samples from them."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from rasterio.transform import from_origin

from backend.core.errors import InputError
from tests.support.geotiffs import BANDS, PLACED, land, toml, write
from training.data import pattern
from training.data.dataset import ChipFolder
from training.data.places import name_places
from training.draws.store import ChipStore
from training.draws.summary import describe
from training.run.pretrain_config import CropConfig

CROPS = CropConfig(window=24, global_size=16, local_size=8, local_count=2)


def test_a_pattern_is_searched_for_in_the_stem_then_in_the_name(tmp_path):
    names = ["12_2020", "12_2021", "x/12_2022", "other"]
    assert name_places(tmp_path, names, r"^(\d+)_") == dict.fromkeys(names[:3], "12")
    assert name_places(tmp_path, ["p1/a", "p1/b", "p2/a"], r"^(p\d)/") == {"p1/a": "p1", "p1/b": "p1", "p2/a": "p2"}
    assert name_places(tmp_path, names, "") == {}
    with pytest.raises(InputError, match="doesn.t match"):
        name_places(tmp_path, names, "^(nothing)")


def test_a_table_does_as_well_but_not_beside_a_pattern(tmp_path):
    (tmp_path / "places.csv").write_text("name,place\na,1\nb,1\nc,\nelsewhere,1\n")
    assert name_places(tmp_path, ["a", "b", "c", "d"], "") == {"a": "1", "b": "1"}
    with pytest.raises(InputError, match="both|and in places.csv"):
        name_places(tmp_path, ["a"], "(a)")
    (tmp_path / "places.csv").write_text("name,site\na,1\n")
    with pytest.raises(InputError, match="columns name, site"):
        name_places(tmp_path, ["a"], "")


def test_dates_that_do_not_lie_on_each_other_are_refused(tmp_path):
    toml(tmp_path, "places = '^(.)_'\n")
    write(tmp_path / "a_1.tif", land(0), ("VV", "VH"), **PLACED)
    write(tmp_path / "a_2.tif", land(1, 40), ("VV", "VH"), **PLACED)
    with pytest.raises(InputError, match=r"a_1\.tif and .*a_2\.tif .* 48 x 48 and 40 x 40"):
        ChipFolder(tmp_path, BANDS)
    moved = {**PLACED, "transform": from_origin(5e5 + 10, 5e6, 10, 10)}
    write(tmp_path / "a_2.tif", land(1), ("VV", "VH"), **moved)
    with pytest.raises(InputError, match=r"a_1\.tif and .*a_2\.tif .* different grids"):
        ChipFolder(tmp_path, BANDS)


@pytest.fixture
def paired(tmp_path):
    """Write two places whose dates differ by 20 dB, with a ramp that gives the position of a window."""
    toml(tmp_path, "places = '^(.)_'\nlevel_jitter_db = 2.0\naccept_values = true\n")
    ramp = np.arange(48 * 48, dtype=np.float32).reshape(48, 48) / 512
    for place in "ab":
        for date, level in enumerate((-45.0, -25.0, -5.0)[: 3 if place == "a" else 2]):
            values = np.stack([ramp + level, ramp + level - 7]).astype(np.float32)
            values[:, :, :20] = np.where((date == 1) and place == "a", np.nan, values[:, :, :20])
            write(tmp_path / f"{place}_{date}.tif", values, ("VV", "VH"), **PLACED)
    write(tmp_path / "alone.tif", np.stack([ramp, ramp]) - 5, ("VV", "VH"), **PLACED)
    return tmp_path


def test_a_sample_shows_one_window_at_two_dates(paired):
    store = ChipStore([paired], BANDS, 1.0)
    assert "2 places of up to 3 dates" in describe(store.folders[0])
    samples = [store.draw(CROPS, np.random.default_rng(seed)) for seed in range(200)]
    pairs = [sample.dates for sample in samples if len(sample.dates) == 2]
    assert len(pairs) == pytest.approx(200 * 5 / 6, abs=20)  # the others are of the place with one date
    seen = set()
    for one, other in pairs:
        there = np.isfinite(one[0]) & np.isfinite(other[0])
        assert there.mean() >= 0.6  # both dates' validity counts
        difference = (one - other)[:, there]
        assert difference.max() - difference.min() < 0.1 and abs(difference).min() > 15  # same pixels, other date
        seen.add(round(float(difference.mean()) / 20))
    assert seen == {-2, -1, 1, 2}
    assert len({sample.gain_db for sample in samples}) == 200


@pytest.mark.parametrize(("pairs", "share"), [(0.0, 0.0), (0.5, 0.5)])
def test_pairs_may_be_rarer(paired, pairs, share):
    store = ChipStore([paired], BANDS, 1.0)
    crops = dataclasses.replace(CROPS, pairs=pairs)
    two = np.mean([len(store.draw(crops, np.random.default_rng(seed)).dates) == 2 for seed in range(200)])
    assert two == pytest.approx(share * 5 / 6, abs=0.1)


def test_a_pattern_that_backtracks_for_ever_is_refused(monkeypatch):
    monkeypatch.setattr(pattern, "LIMIT_S", 1.0)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"searching 2 names for it takes more than 1 s"):
        pattern.first_groups(r"^(?:\w+)+(x)$", ["a" * 60 + "!", "b"])
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("text", ["a{99999999999999999999}", "(" * 400, "(a)" * 300, "([", "a", "(a)(b)"])
def test_a_pattern_that_cannot_be_used_is_refused(text):
    with pytest.raises(InputError, match="places"):
        pattern.check_pattern(text)


def test_names_need_not_be_plain():
    assert pattern.first_groups(r"(\d+)_", ["12_ä", "folder 3_/x", "a\n7_", "none", "\udcff8_"]) == [
        "12",
        "3",
        "7",
        None,
        "8",
    ]


@pytest.mark.parametrize("content", [b"name,place\n\xff,1\n", b"name,place\n" + b"a" * 200_000 + b",1\n"])
def test_a_table_that_is_no_csv_is_refused(content, tmp_path):
    (tmp_path / "places.csv").write_bytes(content)
    with pytest.raises(InputError, match="is no CSV in UTF-8"):
        name_places(tmp_path, ["a"], "")


def test_short_rows_of_a_table_give_no_place(tmp_path):
    (tmp_path / "places.csv").write_text("name,place\na\nb,1,2\n")
    assert name_places(tmp_path, ["a", "b"], "") == {"b": "1"}
