import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.card.model_card import Band
from training.run.pretrain_config import CropConfig
from training.views.augment import augment, speckle
from training.views.crops import CropSample, draw_box, plan_views
from training.views.maker import ViewMaker, resample, resampling_matrix

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.0, 5.0), Band("VH", "db", (-35.0, 0.0), -20.0, 6.0))
OFF = CropConfig(
    window=32, global_size=16, local_size=8, local_count=3, flip=False, speckle=0, gain_common_db=0, gain_band_db=0,
    band_drop=0,
)  # fmt: skip


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def views(
    samples: Sequence[CropSample], rngs: Sequence[np.random.Generator], bands: Sequence[Band], config: CropConfig
) -> list[torch.Tensor]:
    """Draw views and make them on the CPU."""
    return ViewMaker(bands, config, torch.device("cpu")).make(plan_views(samples, rngs, bands, config)).groups


def _views(db: np.ndarray, config: CropConfig, seed: int = 0, gain: float = 0.0) -> list[torch.Tensor]:
    return views([CropSample([db.astype(np.float32)], gain)], [_rng(seed)], BANDS, config)


def _flat(vv: float = -12.0, vh: float = -20.0) -> np.ndarray:
    return np.stack([np.full((32, 32), vv), np.full((32, 32), vh)]).astype(np.float32)


def test_shapes_and_groups() -> None:
    windows = [np.float32(-15) + _rng(i).normal(size=(2, 32, 32)).astype(np.float32) for i in range(4)]
    samples, rngs = [CropSample([window]) for window in windows], [_rng(i) for i in range(4)]
    large, small = views(samples, rngs, BANDS, dataclasses.replace(OFF, speckle=1))
    assert large.shape == (2, 4, 2, 16, 16) and small.shape == (3, 4, 2, 8, 8)
    assert large.dtype == torch.float32 and bool(torch.isfinite(large).all())
    none = views(samples, rngs, BANDS, dataclasses.replace(OFF, local_count=0))
    assert [g.shape for g in none] == [(2, 4, 2, 16, 16)]


def test_a_flat_scene_stays_flat_and_normalised() -> None:
    for group in _views(_flat(-7, -26), OFF):
        torch.testing.assert_close(group[..., 0, :, :], torch.ones_like(group[..., 0, :, :]), atol=1e-4, rtol=0)
        torch.testing.assert_close(group[..., 1, :, :], -torch.ones_like(group[..., 1, :, :]), atol=1e-4, rtol=0)


def test_averages_are_of_power_not_of_db() -> None:
    power = torch.from_numpy(np.tile(np.array([1.0, 0.01], dtype=np.float32), (1, 1, 16, 8)))
    axis = resampling_matrix(torch.zeros(1), torch.full((1,), 16.0), torch.zeros(1, dtype=torch.bool), 4, 16)
    got = resample(power, axis, axis)[0, 0, 1:-1, 1:-1]
    torch.testing.assert_close(got, torch.full_like(got, 0.505))  # -3 dB; the mean of dB would be -10


@given(side=st.floats(4, 20), place=st.floats(0, 1), size=st.integers(2, 24), flip=st.booleans())
@settings(max_examples=50, deadline=None)
def test_resampling_puts_a_ramp_where_the_box_is(side: float, place: float, size: int, flip: bool) -> None:
    start = (20 - side) * place
    axis = resampling_matrix(torch.tensor([start]), torch.tensor([side]), torch.tensor([flip]), size, 20)[0]
    assert torch.allclose(axis.sum(1), torch.ones(size), atol=1e-5)
    got = (axis @ (torch.arange(20) + 0.5)).numpy()
    expected = start + (np.arange(size) + 0.5) * side / size
    if flip:
        expected = expected[::-1]
    step = max(side / size, 1)
    inner = (expected > step + 0.5) & (expected < 19.5 - step)
    assert np.abs(got - expected)[inner].max(initial=0) < 0.13 * step  # sampled triangles are not exact off the grid


def test_invalid_pixels_become_the_nearest_valid_ones() -> None:
    db = _flat(-7, -14)
    db[:, :, 16:] = np.nan
    config = dataclasses.replace(OFF, global_scale=(1.0, 1.0), min_valid=0.0)
    torch.testing.assert_close(_views(db, config)[0][0, 0], torch.ones(2, 16, 16), atol=1e-4, rtol=0)


def test_a_missing_band_is_zero_and_the_other_is_kept() -> None:
    db = _flat()
    db[0] = np.nan
    for group in _views(db, dataclasses.replace(OFF, band_drop=1.0, speckle=1.0, gain_band_db=1.0)):
        assert float(group[..., 0, :, :].abs().max()) == 0
        assert float(group[..., 1, :, :].abs().max()) > 0


def test_band_drop_hides_exactly_one_of_two() -> None:
    config = dataclasses.replace(OFF, band_drop=1.0, gain_common_db=1.0)
    group = torch.cat([_views(_flat(-8, -15), config, seed)[1] for seed in range(8)])
    hidden = (group == 0).flatten(-2).all(dim=-1)[:, 0]
    assert bool((hidden.sum(dim=-1) == 1).all()) and bool(hidden.any(dim=0).all())


def test_gain_is_of_a_date_or_a_band_and_jitter_of_all_views() -> None:
    shared = _views(_flat(), OFF, gain=2.5)
    for group in shared:
        torch.testing.assert_close(group[..., 0, :, :], torch.full_like(group[..., 0, :, :], 0.5), atol=1e-4, rtol=0)
    common = _views(_flat(), dataclasses.replace(OFF, gain_common_db=1.0))[1][:, 0, :, 0, 0] * torch.tensor([5.0, 6.0])
    torch.testing.assert_close(common[:, 0], common[:, 1], atol=1e-3, rtol=0)
    assert float(common.std()) > 0
    own = _views(_flat(), dataclasses.replace(OFF, gain_band_db=1.0))[1][:, 0, :, 0, 0] * torch.tensor([5.0, 6.0])
    assert float((own[:, 0] - own[:, 1]).abs().min()) > 1e-3


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("looks", [2.0, 16.0])
def test_speckle_has_the_mean_looks_and_correlation_wanted(looks: float, correlated: bool) -> None:
    noise = speckle((1, 400, 400), looks, correlated, _rng())[0].astype(np.float64)
    assert noise.mean() == pytest.approx(1, abs=0.02)
    assert 1 / noise.var() == pytest.approx(looks, rel=0.06)
    assert noise.min() > 0
    for axis in (0, 1):
        lags = [np.corrcoef(noise.ravel(), np.roll(noise, lag, axis).ravel())[0, 1] for lag in (1, 2, 3)]
        wanted = [2 / 3, 1 / 6, 0] if correlated else [0, 0, 0]
        assert lags == pytest.approx(wanted, abs=0.03)


def test_speckle_keeps_the_mean_power_of_a_view() -> None:
    power = np.full((2, 200, 200), 0.05, dtype=np.float32)
    config = dataclasses.replace(OFF, speckle=1.0)
    got = augment(power.copy(), 0.0, BANDS, config, _rng())
    assert got.mean() == pytest.approx(0.05, rel=0.02) and got.std() > 0.005


def test_flips_and_quarter_turns_only_when_asked() -> None:
    db = _flat()
    db[0] += np.linspace(-3, 3, 32, dtype=np.float32)[:, None]
    seeds = range(100, 124)

    def slopes(config: CropConfig) -> set[tuple[int, int]]:
        found = set()
        for seed in seeds:
            view = _views(db, dataclasses.replace(config, global_scale=(1.0, 1.0)), seed)[0][0, 0, 0]
            down, right = float(view[-1, 8] - view[0, 8]), float(view[8, -1] - view[8, 0])
            found.add((round(np.sign(down) * (abs(down) > 0.1)), round(np.sign(right) * (abs(right) > 0.1))))
        return found

    assert slopes(OFF) == {(1, 0)}
    assert slopes(dataclasses.replace(OFF, flip=True)) == {(1, 0), (-1, 0)}
    assert slopes(dataclasses.replace(OFF, rot90=True)) == {(1, 0), (-1, 0), (0, 1), (0, -1)}


def test_boxes_avoid_invalid_ground() -> None:
    valid = np.zeros((64, 64), dtype=bool)
    valid[:, 40:] = True
    rng = _rng()
    boxes = [draw_box(valid, (0.05, 0.2), 0.6, rng) for _ in range(50)]
    assert np.mean([b.left + b.side / 2 > 38 for b in boxes]) > 0.9
    assert all(b.top >= 0 and b.left >= 0 and max(b.top, b.left) + b.side <= 64 + 1e-6 for b in boxes)


def test_a_sample_depends_on_its_own_generator_only() -> None:
    windows = [np.float32(-15) + _rng(i).normal(size=(2, 32, 32)).astype(np.float32) for i in range(3)]
    windows[2][:, :5] = np.nan
    config = dataclasses.replace(OFF, flip=True, speckle=0.5, gain_common_db=1.0, band_drop=0.5)
    samples = [CropSample(windows[:1]), CropSample(windows[1:]), CropSample(windows[2:])]
    together = views(samples, [_rng(i) for i in range(3)], BANDS, config)
    alone = views(samples[1:2], [_rng(1)], BANDS, config)
    for group, single in zip(together, alone):
        torch.testing.assert_close(group[:, 1:2], single, atol=1e-4, rtol=1e-4)


def test_each_global_view_shows_a_date_and_local_ones_either() -> None:
    sample = CropSample([_flat(-7), _flat(-17)], 2.5)
    large, small = views([sample], [_rng()], BANDS, dataclasses.replace(OFF, local_count=16))
    levels = large[:, 0, 0].mean(dim=(-1, -2))
    torch.testing.assert_close(levels, torch.tensor([1.5, -0.5]), atol=1e-4, rtol=0)  # and one gain of half a deviation
    found = {round(float(level), 2) for level in small[:, 0, 0].mean(dim=(-1, -2))}
    assert found == {1.5, -0.5}


def test_views_avoid_what_is_invalid_at_either_date() -> None:
    dates = [_flat(), _flat()]
    dates[0][:, :, :12] = np.nan
    dates[1][:, :, 26:] = np.nan
    config = dataclasses.replace(OFF, min_valid=0.9, local_scale=(0.05, 0.1), local_count=40)
    small = views([CropSample(dates)], [_rng()], BANDS, config)[1]
    assert bool(torch.isfinite(small).all())
    plan = plan_views([CropSample(dates)], [_rng()], BANDS, config).views[1]
    _, left, side = plan.box.unbind(-1)
    seen = torch.minimum(left + side, torch.tensor(26.0)) - torch.maximum(left, torch.tensor(12.0))
    assert float((seen / side).min()) > 0.75  # 0.9 of whole columns, of which a box of 8 has one more or less


STACK = tuple(
    Band(f"{polarisation}_{season}", "db", (-35.0, 5.0), -15.0, 5.0)
    for season in ("winter", "summer")
    for polarisation in ("VV", "VH")
)
COHERENT = (*BANDS, Band("coh_VV", "coherence", (0.0, 1.0), 0.5, 0.25))


def test_bands_of_one_date_share_a_gain() -> None:
    power = np.ones((4, 8, 8), dtype=np.float32)
    gain = np.log(augment(power, 0.0, STACK, dataclasses.replace(OFF, gain_common_db=1.0), _rng())[:, 0, 0])
    assert gain[0] == gain[1] and gain[2] == gain[3] and abs(gain[0] - gain[2]) > 1e-3


def test_coherence_has_no_speckle_and_no_gain_but_may_be_dropped() -> None:
    config = dataclasses.replace(OFF, speckle=1.0, gain_common_db=3.0, gain_band_db=3.0)
    values = np.full((3, 16, 16), 0.25, dtype=np.float32)
    got = augment(values.copy(), 2.0, COHERENT, config, _rng())
    assert (got[2] == 0.25).all() and got[0].std() > 0 and abs(got[0].mean() - 0.25) > 0.01
    window = np.concatenate([_flat(), np.full((1, 32, 32), 0.75)]).astype(np.float32)
    group = views([CropSample([window], 2.0)], [_rng()], COHERENT, config)[0]
    torch.testing.assert_close(group[:, 0, 2], torch.ones_like(group[:, 0, 2]), atol=1e-5, rtol=0)
    drop = dataclasses.replace(OFF, band_drop=1.0)
    dropped = [np.isnan(augment(values.copy(), 0.0, COHERENT, drop, _rng(i))[2]).all() for i in range(30)]
    assert 0 < np.mean(dropped) < 1
