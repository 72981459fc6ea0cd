"""Test areas of change from reference samples: the formula, coverage of the truth, and how fields are read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backend.change.command import ChangeRequest, change
from backend.change.reference_samples import SampleFields
from backend.core.context import Context
from backend.core.errors import InputError
from tests.backend.change.conftest import OPEN, TREE, maps

NAMES = {10: "Tree cover", 30: "Open land", 80: "Water or very smooth surface"}


@pytest.fixture
def estimated(class_map, points, tmp_path):
    """Compare the two maps with samples; returns the figures."""

    def call(places, properties, fields):
        before, after = maps()
        first, second = class_map(before, "a.tif"), class_map(after, "b.tif")
        samples = points(places, properties)
        paths = {"report": tmp_path / "o.html", "json": tmp_path / "o.json"}
        request = ChangeRequest(
            str(first), str(second), tmp_path / "o.tif", samples=str(samples), fields=fields, overwrite=True, **paths
        )
        change(request, Context())
        return json.loads((tmp_path / "o.json").read_text())

    return call


def drawn(seed, per_stratum=20):
    """Return places drawn in each transition of the maps, true classes, and pixels felled; the maps have errors."""
    before, after = maps()
    truth_before, truth_after = before.copy(), after.copy()
    truth_after[10:12, :10] = TREE
    truth_after[25:35, 5:20] = OPEN  # felled, and missed by the map
    rng = np.random.default_rng(seed)
    pairs = before.astype(int) * 256 + after
    places = []
    for pair in np.unique(pairs):
        rows, columns = np.nonzero(pairs == pair)
        chosen = rng.integers(0, rows.size, per_stratum)
        places += list(zip(rows[chosen].tolist(), columns[chosen].tolist()))
    truth = [{"b": int(truth_before[p]), "a": int(truth_after[p])} for p in places]
    felled = int(((truth_before == TREE) & (truth_after == OPEN)).sum())
    return places, truth, felled


def loss(facts):
    return next(group for group in facts["estimates"]["groups"] if group["name"] == "Tree cover: lost")


def test_loss_follows_the_formula_of_the_paper(estimated, tmp_path):
    places, truth, _ = drawn(1)
    facts = estimated(places, truth, SampleFields(before="b", after="a"))
    before, after = maps()
    area, variance = 0.0, 0.0
    for pair in {(int(before[p]), int(after[p])) for p in places}:
        hits = [t["b"] == TREE != t["a"] for p, t in zip(places, truth) if (before[p], after[p]) == pair]
        size = 100 * int(((before == pair[0]) & (after == pair[1])).sum())
        share = np.mean(hits)
        area, variance = area + size * share, variance + size**2 * share * (1 - share) / (len(hits) - 1)
    found = loss(facts)
    assert found["estimate"] == pytest.approx(area) and found["standard_error"] == pytest.approx(variance**0.5)
    assert found["low"] < found["estimate"] < found["high"] and found["mapped"] == 20_000
    assert "Tree cover: lost" in (tmp_path / "o.html").read_text()
    transition = next(row for row in facts["estimates"]["transitions"] if row["name"] == "Tree cover → Open land")
    assert transition["area"]["estimate"] == pytest.approx(area)


def test_intervals_hold_the_truth_and_the_mean_is_unbiased():
    """Over repeated draws, by the estimator alone."""
    from backend.accuracy.compare import Comparison
    from backend.change.reference_samples import _group

    before, after = maps()
    sizes = {}
    held, estimates = 0, []
    for seed in range(200):
        places, truth, felled = drawn(seed, per_stratum=200)
        pairs = [(int(before[p]), int(after[p])) for p in places]
        codes = {pair: code for code, pair in enumerate(sorted({*pairs, *((t["b"], t["a"]) for t in truth)}))}
        sizes = {codes[pair]: float(((before == pair[0]) & (after == pair[1])).sum()) for pair in set(pairs)}
        units = [(codes[pair], codes[t["b"], t["a"]]) for pair, t in zip(pairs, truth)]
        comparison = Comparison(units=units, mapped=sizes)
        numbers = {code: pair for pair, code in codes.items()}
        found = _group("lost", comparison, numbers, lambda pair: pair[0] == TREE != pair[1])
        estimates.append(found["estimate"])
        held += found["low"] <= felled <= found["high"]
    assert np.mean(estimates) == pytest.approx(felled, rel=0.03)
    assert held / 200 > 0.9


@pytest.mark.parametrize("write", [str, lambda name: name.replace("→", "->").upper()])
def test_transitions_may_be_given_by_name(estimated, write):
    places, truth, _ = drawn(2)
    names = [
        {"t": write(f"{NAMES[t['b']]} → {NAMES[t['a']]}" if t["a"] != t["b"] else f"{NAMES[t['b']]}, unchanged")}
        for t in truth
    ]
    by_name = estimated(places, names, SampleFields("t"))
    by_class = estimated(places, truth, SampleFields(before="b", after="a"))
    assert by_name["estimates"]["groups"] == by_class["estimates"]["groups"]


def test_a_transition_that_no_pixel_has_is_kept(estimated):
    places, truth, _ = drawn(3)
    truth[0] = {"b": 30, "a": 10}
    facts = estimated(places, truth, SampleFields(before="b", after="a"))
    gained = next(g for g in facts["estimates"]["groups"] if g["name"] == "Tree cover: gained")
    assert gained["mapped"] == 0 and gained["estimate"] > 0


def test_samples_without_known_classes_are_left_out_or_refused(estimated):
    places, truth, _ = drawn(4)
    facts = estimated([*places, (0, 0), (5000, 0)], [*truth, {"b": "swamp", "a": 10}, truth[0]],
                      SampleFields(before="b", after="a"))  # fmt: skip
    assert facts["left_out"] == {"samples without a known transition": 1, "points outside the map": 1}
    with pytest.raises(InputError, match="No feature of .* has a transition"):
        estimated([(0, 0)], [{"b": "swamp", "a": "moor"}], SampleFields(before="b", after="a"))
    with pytest.raises(InputError, match="two are wanted"):
        estimated(places, truth, SampleFields(before="b"))
