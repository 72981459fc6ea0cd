"""Local levels: targets against plain NumPy, and that tokens learn them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.card.model_card import Band
from backend.core.errors import InputError
from tests.support.pretraining import ALONE, config_of, write_scene
from training.dino.levels import (
    LEAST_VARIATION,
    TAIL_FACTOR,
    USUAL_BRIGHT,
    USUAL_DARK,
    USUAL_VARIATION,
    LocalLevels,
    levels_loss,
    statistics,
)
from training.dino.trainer import Trainer
from training.draws.batches import StepBatches
from training.draws.store import ChipStore

BANDS = (
    Band("VV", "db", (-30.0, 5.0), -12.0, 5.0),
    Band("VH", "db", (-35.0, 0.0), -20.0, 6.0),
    Band("coh_VV", "coherence", (0.0, 1.0), 0.5, 0.25),
)


def plain(view: np.ndarray, patch: int, scales: tuple[int, ...]) -> np.ndarray:
    """Return [P, T] of one view [B, H, W], patch by patch."""
    height, width = view.shape[1:]
    rows = []
    for top in range(0, height, patch):
        for left in range(0, width, patch):
            row: list[float] = []
            for side in scales:
                pad = (side - patch) // 2
                down = slice(max(top - pad, 0), min(top + patch + pad, height))
                across = slice(max(left - pad, 0), min(left + patch + pad, width))
                square = view[:, down, across].astype(np.float64).reshape(len(view), -1)
                mean, deviation = square.mean(axis=1), square.std(axis=1)
                with np.errstate(invalid="ignore", divide="ignore"):
                    level = np.where([b.unit == "db" for b in BANDS], 10 * np.log10(mean), mean)
                row += ((level - [b.mean for b in BANDS]) / [b.std for b in BANDS]).tolist()
                row += np.log((deviation / np.abs(mean) + LEAST_VARIATION) / USUAL_VARIATION).tolist()
            rows.append(row)
    return np.array(rows)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    patch=st.sampled_from([4, 8]),
    grid=st.tuples(st.integers(2, 5), st.integers(2, 5)),
    halves=st.lists(st.integers(-1, 30), min_size=1, max_size=3, unique=True),
    missing=st.sampled_from([None, 0, 1, 2]),
)
def test_targets_are_means_and_deviations_of_squares(seed, patch, grid, halves, missing):
    """Squares smaller than a patch, and wider than the view, too."""
    rng = np.random.default_rng(seed)
    scales = tuple(patch + 2 * half for half in halves)
    power = rng.gamma(4, 0.25, (2, 1, 3, grid[0] * patch, grid[1] * patch)) * 10 ** rng.uniform(-2.5, -0.5)
    power[:, :, 2] = rng.uniform(0.1, 0.9, power[:, :, 2].shape)
    if missing is not None:
        power[:, :, missing] = np.nan
    levels = LocalLevels(BANDS, patch, scales)
    found = levels(torch.from_numpy(power.astype(np.float32))).numpy()
    assert found.shape == (2, 1, grid[0] * grid[1], statistics(3, scales))
    for view in range(2):
        np.testing.assert_allclose(found[view, 0], plain(power[view, 0], patch, scales), atol=2e-3)
    assert np.isnan(found).any() == (missing is not None)


@pytest.mark.parametrize("missing", [None, 1])
def test_tails_compare_bright_and_dark_pixels_with_the_mean(missing: int | None) -> None:
    rng = np.random.default_rng(0)
    power = (rng.gamma(1.5, 0.1, (1, 1, 3, 16, 16)) + 1e-3).astype(np.float32)
    if missing is not None:
        power[:, :, missing] = np.nan
    found = LocalLevels(BANDS, 8, (8, 4), tails=True)(torch.from_numpy(power))[0, 0].numpy()
    plainly = LocalLevels(BANDS, 8, (8, 4))(torch.from_numpy(power))[0, 0].numpy()
    assert found.shape == (4, statistics(3, (8, 4), tails=True)) == (4, 24)
    for number, inner in enumerate((slice(0, 8), slice(2, 6))):  # of the first patch
        np.testing.assert_array_equal(found[:, 12 * number : 12 * number + 6], plainly[:, 6 * number : 6 * number + 6])
        square = power[0, 0, :, inner, inner].astype(np.float64).reshape(3, -1)
        bright = TAIL_FACTOR * np.log((square**4).mean(axis=1) ** 0.25 / square.mean(axis=1) / USUAL_BRIGHT)
        dark = TAIL_FACTOR * np.log(square.mean(axis=1) * (1 / square).mean(axis=1) / USUAL_DARK)
        wanted = np.concatenate([np.where([True, True, False], each, np.nan) for each in (bright, dark)])
        np.testing.assert_allclose(found[0, 12 * number + 6 : 12 * number + 12], wanted, atol=1e-3)


def test_tails_do_not_hang_on_the_level() -> None:
    power = torch.rand(1, 1, 3, 16, 16) * 0.1 + 1e-3
    levels = LocalLevels(BANDS, 8, (8,), tails=True)
    torch.testing.assert_close(levels(power)[..., 6:], levels(4 * power)[..., 6:], equal_nan=True, rtol=1e-3, atol=1e-4)


def test_flat_ground_has_its_level_and_the_least_variation():
    power = torch.full((1, 1, 3, 16, 16), 10**-1.7)
    found = LocalLevels(BANDS, 8, (8, 24))(power)[0, 0]
    assert float(found[:, 0].max()) == pytest.approx(-1, abs=1e-4)  # a deviation below the mean of -12 dB
    assert found[:, 3:6].numpy() == pytest.approx(np.log(LEAST_VARIATION / USUAL_VARIATION), abs=0.02)


def test_the_loss_leaves_out_what_is_unknown():
    predicted = torch.zeros(1, 1, 2, 2, requires_grad=True)
    wanted = torch.tensor([[[[3.0, torch.nan], [0.0, torch.nan]]]])
    loss = levels_loss(predicted, wanted)
    loss.backward()
    assert float(loss.detach()) == pytest.approx((3 - 0.5) / 2)
    assert predicted.grad[0, 0, :, 1].tolist() == [0, 0] and bool(torch.isfinite(predicted.grad).all())
    assert float(levels_loss(predicted, torch.full_like(wanted, torch.nan))) == 0


def test_levels_are_learnt(tmp_path):
    for i in range(3):
        write_scene(tmp_path / f"{i}.tif", ("VV", "VH"), i)
    config = config_of(
        "dino.levels_weight=1", "dino.dino_weight=0", "dino.levels_scales=[8, 24]", "optim.steps=60",
        "optim.base_lr=0.6", "crops.gain_common_db=3",
    )  # fmt: skip
    trainer = Trainer(config, ALONE)
    batches = StepBatches(ChipStore([tmp_path], config.model.bands, 1.0), config)
    losses = [trainer.step(step, batches[step])["loss"] for step in range(60)]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])


def test_scales_that_do_not_fit_a_patch_are_refused():
    for side in ("9", "0", "32"):
        with pytest.raises(InputError, match="levels_scales has"):
            config_of("dino.levels_weight=1", f"dino.levels_scales=[{side}]")
