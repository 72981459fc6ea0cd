"""Test the parts of a study on data with known answers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import InputError
from tests.support.geotiffs import BANDS
from training.landcover.chips import LabelledChip
from training.run.config import resolve
from training.study.forest import features, fit_forest
from training.study.ledger import Cell, Ledger
from training.study.material import Material, spread_tiles, tiles_of
from training.study.patches import (
    BACKSCATTER,
    describe_patches,
)
from training.study.report import as_html, plain
from training.study.settings import ForestConfig, StudyConfig
from training.study.summary import gain, mean_spread, table, values

NAMES = ["land", "water"]
NASTY = ["[x](javascript:alert(1))", "![x](//e.org/x)", "<script>", "a\\|`b`", "\x1b[2J\r\n# c", "&lt;b&gt;"]
CONFIG = resolve(StudyConfig, {"patch": {"train_patches": 300, "test_patches": 400, "trees": 10}, "jobs": 1})


def chip(target: np.ndarray, bands: int = 2) -> LabelledChip:
    db = np.full((bands, *target.shape), -12.0, dtype=np.float16)
    return LabelledChip(db, target.astype(np.int16), 0.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([8, 16, 32]))
def test_every_pixel_has_its_label_in_one_tile(height: int, width: int, side: int) -> None:
    target = np.arange(height * width).reshape(height, width)
    seen = np.zeros(height * width, dtype=int)
    for tile in tiles_of(chip(target), side, BANDS):
        assert tile.x.shape == (2, side, side) and tile.target.shape == (side, side)
        np.add.at(seen, tile.target[tile.target >= 0], 1)
        top, left = tile.corner
        rows, columns = np.nonzero(tile.target >= 0)
        assert (target[rows + top, columns + left] == tile.target[rows, columns]).all()
    assert (seen == 1).all()


@given(st.integers(1, 40), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_shares_of_a_seed_are_nested(count: int, seed: int) -> None:
    chips = [chip(np.full((1, 1), i)) for i in range(count)]
    material = Material("", BANDS, (0, 1), (), chips, [], "test", (1, 1), "")
    shares = [{int(c.target[0, 0]) for c in material.share(f, seed)} for f in (0.01, 0.1, 0.5, 1.0)]
    assert all(a <= b for a, b in zip(shares, shares[1:])) and len(shares[0]) >= 1 and len(shares[-1]) == count


def test_tiles_are_spread_over_chips_and_hold_labels() -> None:
    empty = chip(np.full((32, 32), -1))
    chips = [chip(np.full((32, 32), i)) for i in range(6)] + [empty]
    found = spread_tiles(chips, 16, BANDS, 7)
    assert len(found) == 6 and {int(t.target.max()) for t in found} == set(range(6))


def test_a_study_that_stopped_does_only_what_is_left(tmp_path: Path) -> None:
    made: list[str] = []

    def cell(key: str, fails: bool = False) -> Cell:
        def make() -> dict[str, str]:
            if fails:
                raise KeyboardInterrupt
            made.append(key)
            return {"of": key}

        return Cell(key, 1.0, make)

    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        Ledger(tmp_path, said.append).run([cell("a/+1"), cell("a/-1", fails=True), cell("b/1")])
    found = Ledger(tmp_path, said.append).run([cell("a/+1"), cell("a/-1"), cell("a/-1"), cell("b/1")])
    assert made == ["a/+1", "a/-1", "b/1"]
    assert found == {key: {"of": key} for key in made}
    assert said[-1].startswith("[3/3  left 0:0") and "b/1" in said[-1] and any("1 of 3" in text for text in said)
    assert len(list(tmp_path.iterdir())) == 3


def test_features_of_the_forest_are_those_of_their_definition() -> None:
    rng = np.random.default_rng(0)
    db = rng.normal(-12, 3, (2, 20, 24))
    found = features(db).reshape(20, 24, 15)
    assert np.allclose(found[..., 2], db[0] - db[1], atol=1e-4)
    window = db[1, 7:14, 5:12]  # 7 by 7 around (10, 8)
    assert found[10, 8, 11] == pytest.approx(window.mean(), abs=1e-4)
    assert found[10, 8, 12] == pytest.approx(window.std(), abs=1e-3)
    db[:, 3, 3] = np.nan
    assert np.isfinite(features(db)).all()
    assert features(np.full((1, 4, 4), np.nan)).shape == (16, 7)


def test_a_forest_of_few_pixels_is_no_constant() -> None:
    x = np.array([[0.0], [0.1], [5.0], [5.1]] * 5, dtype=np.float32)
    y = np.array([0, 0, 1, 1] * 5, dtype=np.int16)
    assert (fit_forest(x, y, ForestConfig(), 0, 1).predict(x) == y).all()


def test_patches_know_their_class_and_place(tmp_path: Path) -> None:
    target = np.full((32, 32), -1)
    target[:16, :16], target[16:, 16:] = 0, 1
    target[0:3, 16:24] = 1  # too little of its patch
    tile = next(iter(tiles_of(chip(target), 32, BANDS)))
    found = describe_patches([tile, tile], {}, 8, (0, 1), "cpu")
    grid = found.label.reshape(2, 4, 4)
    assert (grid[0] == grid[1]).all() and grid[0].tolist() == [
        [0, 0, -1, -1],
        [0, 0, -1, -1],
        [-1, -1, 1, 1],
        [-1, -1, 1, 1],
    ]
    assert found.place.reshape(2, 4, 4, 2)[1, 3, 0].tolist() == [0.75, -0.75]
    assert found.features[BACKSCATTER].shape == (32, 4) and np.allclose(
        found.features[BACKSCATTER][:, 2:], 0, atol=1e-5
    )


def test_tables_hold_what_names_hold() -> None:
    cells = {"curve/a/1/1": {"mean_iou": 0.4}, "curve/a/1/0": {"mean_iou": 0.2}, "curve/a/10/0": {"mean_iou": 0.9}}
    assert values(cells, "curve/a/1", "mean_iou") == [0.2, 0.4] and values(cells, "curve/a/1", "group_iou") == []
    assert mean_spread([0.2, 0.4]) == "0.300 ± 0.141" and mean_spread([0.25]) == "0.250" and mean_spread([]) == "–"
    assert gain([0.5, 0.2], [0.4, 0.3]) == "+0.000 (ahead with 1 of 2 seeds)"
    assert table(["a|b", "n"], [["x<y", "1"]]).splitlines() == ["| a\\|b | n |", "| :-- | --: |", "| x&lt;y | 1 |"]
    assert plain("<b>[x](y)`|") == " b  x (y)  " and plain("a\r\nb\x1b[2J\u2028") == "a  b  2J "


@pytest.mark.parametrize("name", NASTY)
def test_a_name_in_a_table_is_neither_code_nor_a_link(name: str, tmp_path: Path) -> None:
    page = as_html(table(["class", "IoU"], [[name, "1"]]), tmp_path).partition("<body>")[2]
    assert page.count("<td") == 2 and not re.search(r"<(?:a|img|script|b|h1|code)\b|[\x00-\x09\x0b-\x1f]", page)


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": ["curves"]}, {"parts": []}, {"curve": {"fractions": [0.0]}}, {"curve": {"fractions": [1.5]}},
        {"curve": {"seeds": []}}, {"patch": {"seeds": [1, 1]}}, {"every": 0}, {"curve": {"longer": -1.0}},
        {"test_chips": -1}, {"forest": {"trees": 0}},
    ],
)  # fmt: skip
def test_settings_without_a_meaning_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        resolve(StudyConfig, wrong)
