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
from training.study.clusters import run_clusters
from training.study.forest import features, fit_forest
from training.study.heads import best_threshold, run_heads
from training.study.ledger import Cell, Ledger
from training.study.material import Material, spread_tiles, tiles_of
from training.study.networks import PRETRAINED, RANDOM
from training.study.patches import (
    BACKSCATTER,
    Patches,
    PatchSets,
    attention_all,
    attention_last,
    describe_patches,
    tokens_of,
)
from training.study.position import run_position
from training.study.probes import DESCRIPTIONS, PROBES, REDUCED_LAST, describe, run_probe
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


def patches(seed: int, count: int = 1024) -> Patches:
    """Make patches whose tokens determine the label, pre-trained attention half, and nothing else at all."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count).astype(np.int16)
    label[::50] = -1

    def noise(width: int) -> np.ndarray:
        return rng.normal(0, 1, (count, width)).astype(np.float32)

    tokens = noise(12)
    tokens[:, 3:9] += 8 * label[:, None]
    half = noise(4)
    half[:, 2] -= 1.5 * label
    corners = np.array([[1.0, 2.0], [0.5, -1.0]])
    side = 8
    steps = (np.arange(side) + 0.5) / side * 2 - 1
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)
    place = np.tile(grid, (count // len(grid), 1))
    known = {
        BACKSCATTER: noise(4), attention_last(PRETRAINED): half[:, 2:], attention_all(PRETRAINED): half,
        tokens_of(PRETRAINED): tokens, attention_last(RANDOM): noise(2), attention_all(RANDOM): noise(4),
        tokens_of(RANDOM): noise(12), "placed": np.concatenate((place @ corners, noise(3)), axis=1),
    }  # fmt: skip
    return Patches({name: np.asarray(v, dtype=np.float32) for name, v in known.items()}, label, place, side)


@pytest.fixture(scope="module")
def sets() -> PatchSets:
    return PatchSets(patches(1), patches(2))


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_scores_what_a_description_holds(sets: PatchSets, probe: str) -> None:
    found = {name: run_probe(sets, name, probe, 0, NAMES, CONFIG) for name in DESCRIPTIONS}
    assert found[tokens_of(PRETRAINED)]["mean_iou"] > 0.9
    assert 0.5 < found[attention_last(PRETRAINED)]["balanced_accuracy"] < 0.95
    assert abs(found[tokens_of(RANDOM)]["balanced_accuracy"] - 0.5) < 0.12
    assert found[REDUCED_LAST]["dimensions"] == found[attention_last(PRETRAINED)]["dimensions"] == 2
    assert set(found[BACKSCATTER]["classes"]) == set(NAMES)


def test_components_are_fitted_on_training_patches_alone(sets: PatchSets) -> None:
    train, test = np.arange(100), np.arange(50)
    known, asked = describe(sets, REDUCED_LAST, train, test)
    assert np.allclose(known.mean(axis=0), 0, atol=1e-5) and not np.allclose(asked.mean(axis=0), 0, atol=1e-3)


def test_direction_and_threshold_come_from_training_regions(sets: PatchSets) -> None:
    found = run_heads(sets, attention_all(PRETRAINED), NAMES)
    assert (
        found["auc"]["water"][2] == pytest.approx(found["auc"]["land"][2], abs=1e-9) and found["auc"]["water"][2] > 0.8
    )
    assert max(abs(found["auc"]["water"][i] - 0.5) for i in (0, 1, 3)) < 0.1
    turned = Patches({**sets.test.features}, 1 - np.abs(sets.test.label), sets.test.place, sets.test.side)
    turned.label[sets.test.label < 0] = -1
    against = run_heads(PatchSets(sets.train, turned), attention_all(PRETRAINED), NAMES)
    assert against["auc"]["water"][2] < 0.2, "chosen on the test regions it would be above one half"
    assert found["all"]["water"] == pytest.approx((sets.test.label == 1).sum() / (sets.test.label >= 0).sum())


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60))
def test_the_threshold_is_the_best_of_the_quantiles(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    values_ = rng.normal(0, 1, count).round(1).astype(np.float32)
    mine = rng.random(count) < 0.4
    mine[0] = True

    def iou(threshold: float) -> float:
        above = values_ > threshold
        return float((above & mine).sum() / max((above | mine).sum(), 1))

    levels = np.quantile(values_, np.arange(100) / 100)
    assert iou(best_threshold(values_, mine)) == pytest.approx(max(iou(float(level)) for level in levels))


def test_position_is_read_where_it_is_and_not_where_it_is_not(sets: PatchSets) -> None:
    assert run_position(sets, "placed", CONFIG)["r2"] > 0.99
    nothing = run_position(sets, tokens_of(RANDOM), CONFIG)
    assert nothing["r2"] < 0.05 and nothing["error"] == pytest.approx(2, abs=0.3)  # a quarter of the side


def test_clusters_agree_with_labels_that_lie_apart(sets: PatchSets) -> None:
    assert run_clusters(sets, tokens_of(PRETRAINED), 2, 0, CONFIG)["ari"] > 0.5
    assert abs(run_clusters(sets, tokens_of(RANDOM), 2, 0, CONFIG)["ami"]) < 0.05


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
