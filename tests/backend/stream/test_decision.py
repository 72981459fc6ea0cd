"""How a class is chosen: the group by its sum, then the class within it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backend.card.model_card import LandCoverClass
from backend.stream.decision import decision, group_sums


def _classes(groups: list[str]) -> list[LandCoverClass]:
    return [LandCoverClass(i + 1, f"class {i}", "#000000", group) for i, group in enumerate(groups)]


def test_a_group_wins_by_its_sum_and_the_class_is_its_likeliest() -> None:
    decide = decision(_classes(["tree", "open", "open", "open"]))
    assert decide(np.array([[0.31], [0.22], [0.24], [0.23]], np.float32)).tolist() == [2]
    assert decide(np.array([[0.60], [0.10], [0.20], [0.10]], np.float32)).tolist() == [0]


def test_classes_without_a_group_stand_for_themselves() -> None:
    decide = decision(_classes(["", "", "open", "open"]))
    assert decide(np.array([[0.35], [0.25], [0.2], [0.2]], np.float32)).tolist() == [2]
    assert decide(np.array([[0.45], [0.25], [0.1], [0.2]], np.float32)).tolist() == [0]


@given(
    st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1),
)
def test_the_choice_is_the_best_of_the_best_group(groups: list[str], seed: int) -> None:
    classes = _classes(groups)
    values = np.random.default_rng(seed).dirichlet(np.ones(len(groups)), 50).T.astype(np.float32)
    chosen = decision(classes)(values)
    keys = [group or str(i) for i, group in enumerate(groups)]
    totals = {key: sum(values[i] for i, other in enumerate(keys) if other == key) for key in keys}
    for pixel, index in enumerate(chosen):
        assert values[index, pixel] == max(values[i, pixel] for i, key in enumerate(keys) if key == keys[index])
        assert totals[keys[index]][pixel] >= max(total[pixel] for total in totals.values()) - 1e-6


def test_all_in_one_group_or_none_is_the_likeliest_class() -> None:
    values = np.random.default_rng(0).random((4, 3, 5), np.float32)
    for groups in (["a"] * 4, [""] * 4):
        assert np.array_equal(decision(_classes(groups))(values), values.argmax(axis=0))


def test_sums_keep_the_total() -> None:
    values = np.random.default_rng(1).dirichlet(np.ones(5), 20).T
    assert np.allclose(group_sums(values, [0, 1, 1, 2, 0]).sum(axis=0), 1)
