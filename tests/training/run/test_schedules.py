import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.run.pretrain_config import DinoConfig, OptimConfig
from training.run.schedules import cosine, linear, values_at


@given(
    start=st.floats(-10, 10),
    end=st.floats(-10, 10),
    steps=st.integers(1, 1000),
    step=st.integers(0, 2000),
)
def test_values_stay_between_their_ends(start: float, end: float, steps: int, step: int) -> None:
    for shape in (linear, cosine):
        assert min(start, end) - 1e-9 <= shape(start, end, step, steps) <= max(start, end) + 1e-9


def test_cosine_follows_its_formula() -> None:
    got = [cosine(1.0, 0.2, step, 11) for step in range(11)]
    assert got == pytest.approx([0.2 + 0.4 * (1 + math.cos(math.pi * s / 10)) for s in range(11)])
    assert got[-1] == 0.2


def test_the_learning_rate_warms_up_and_ends_at_its_least() -> None:
    optim = OptimConfig(steps=100, batch=64, base_lr=4e-3, min_lr=1e-5, warmup=0.1)
    rates = [values_at(step, optim, DinoConfig()).lr for step in range(100)]
    assert rates[0] == pytest.approx(1e-4)
    assert max(rates) == pytest.approx(1e-3) == pytest.approx(rates[9])
    assert rates[:10] == sorted(rates[:10]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(1e-5)


def test_temperature_and_freezing_begin_when_tokens_are_compared() -> None:
    optim = OptimConfig(steps=100, freeze_last_layer=0.1)
    dino = DinoConfig(
        levels_weight=1.0, levels_first=0.6, teacher_temp_start=0.04, teacher_temp=0.07, teacher_temp_warmup=0.5
    )
    values = [values_at(step, optim, dino) for step in range(100)]
    assert {v.teacher_temp for v in values[:61]} == {0.04} and values[70].teacher_temp == pytest.approx(0.055)
    assert {v.teacher_temp for v in values[80:]} == {0.07}
    assert [v.freeze_last_layer for v in values] == [True] * 64 + [False] * 36


@pytest.mark.parametrize(
    "settings, steps",
    [
        ({}, 0),
        ({"levels_weight": 1.0, "levels_first": 0.25}, 25),
        ({"levels_weight": 1.0, "levels_first": 0.25, "dino_weight": 0.0}, 100),
    ],
)
def test_levels_alone_are_learnt_first_or_always(settings: dict[str, float], steps: int) -> None:
    assert DinoConfig(**settings).levels_steps(100) == steps


def test_momentum_temperature_decay_and_freezing() -> None:
    optim = OptimConfig(steps=100, freeze_last_layer=0.05, weight_decay=0.04, weight_decay_end=0.4)
    dino = DinoConfig(momentum=0.99, teacher_temp_start=0.04, teacher_temp=0.07, teacher_temp_warmup=0.3)
    values = [values_at(step, optim, dino) for step in range(100)]
    assert (values[0].momentum, values[-1].momentum) == (0.99, 1.0)
    assert (values[0].weight_decay, values[-1].weight_decay) == (0.04, 0.4)
    assert (values[0].teacher_temp, values[15].teacher_temp) == (0.04, pytest.approx(0.055))
    assert {v.teacher_temp for v in values[30:]} == {0.07}
    assert [v.freeze_last_layer for v in values].count(True) == 5 and values[4].freeze_last_layer
