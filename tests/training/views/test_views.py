"""Views made on a device are those of the augmentation on the CPU, whatever batch and threads made them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from backend.card.model_card import Band
from training.run.pretrain_config import CropConfig
from training.views.augment import augment, speckle
from training.views.crops import CropSample, ViewPlan, plan_views
from training.views.maker import VALID_SHARE, ViewMaker, resample, resampling_matrix

BANDS = (Band("VV", "db", (-60.0, 30.0), -12.0, 5.0), Band("VH", "db", (-60.0, 30.0), -20.0, 6.0))
CONFIG = CropConfig(
    window=32, global_size=16, local_size=8, local_count=2, global_scale=(1.0, 1.0), flip=False, speckle=1.0,
    speckle_looks=(4.0, 4.0001), gain_common_db=0.5, gain_band_db=0.25, band_drop=0.3,
)  # fmt: skip
DEVICES = [torch.device(name) for name in ("cpu", "cuda") if name == "cpu" or torch.cuda.is_available()]
LEVELS = np.array([-11.0, -19.0], dtype=np.float32)


def plan_of(count: int, config: CropConfig = CONFIG, first: int = 0, dates: int = 1) -> ViewPlan:
    """Draw views of flat ground of LEVELS; sample `i` is the same in any batch."""
    window = np.broadcast_to(LEVELS[:, None, None], (2, config.window, config.window)).copy()
    rngs = [np.random.default_rng(i) for i in range(first, first + count)]
    return plan_views([CropSample([window] * dates)] * count, rngs, BANDS, config)


def moments(values: np.ndarray) -> list[float]:
    """Return mean, deviation, and correlation at lag 1 and 2 along both axes; values [N, H, W], of one deviation."""
    spread = values - values.mean(axis=(1, 2), keepdims=True)
    found = [float(values.mean()), float(values.std())]
    for lag in (1, 2):
        for a, b in ((spread[:, lag:], spread[:, :-lag]), (spread[..., lag:], spread[..., :-lag])):
            found.append(float(np.corrcoef(a.ravel(), b.ravel())[0, 1]))
    return found


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("looks", [2.0, 16.0])
def test_the_devices_speckle_is_distributed_as_numpys(looks, correlated):
    config = dataclasses.replace(CONFIG, speckle_correlated=correlated)
    for device in DEVICES:
        maker = ViewMaker(BANDS, config, device)
        wanted_looks = torch.tensor([[looks, 0.0]], device=device)
        drawn = maker._speckle(wanted_looks, 2, 200, torch.Generator(device).manual_seed(0)).cpu().numpy()
        assert drawn.shape == (1, 2, 2, 200, 200) and (drawn[0, 1] == 1).all()
        wanted = speckle((2, 200, 200), looks, correlated, np.random.default_rng(1))
        assert moments(drawn[0, 0]) == pytest.approx(moments(wanted), abs=0.03)
        for order in (3, 4):  # as gamma's, not only in mean and deviation
            central = [float(((x - 1) ** order).mean()) for x in (drawn[0, 0], wanted)]
            assert central[0] == pytest.approx(central[1], rel=0.25)


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_views_are_distributed_as_augmented_images(device):
    count = 400
    views = ViewMaker(BANDS, CONFIG, device).make(plan_of(count)).groups[0].cpu().numpy()[0]
    db = views * np.array([5.0, 6.0])[:, None, None] + np.array([-12.0, -20.0])[:, None, None]
    hidden = (views == 0).all(axis=(2, 3))
    wanted = np.empty((count, 2, 16, 16))
    for i in range(count):
        power = np.broadcast_to(10 ** (LEVELS[:, None, None] / 10), (2, 16, 16)).astype(np.float32)
        wanted[i] = 10 * np.log10(augment(power.copy(), 0.0, BANDS, CONFIG, np.random.default_rng(10_000 + i)))
    lost = np.isnan(wanted).all(axis=(2, 3))
    assert hidden.mean(axis=0) == pytest.approx(lost.mean(axis=0), abs=0.08) and not hidden.all(axis=1).any()
    for band in (0, 1):
        mine, other = (v[~gone[:, band], band] for v, gone in ((db, hidden), (wanted, lost)))
        assert moments(mine) == pytest.approx(moments(other), abs=0.15)
        gains = [values.mean(axis=(1, 2)).std() for values in (mine, other)]
        assert gains[0] == pytest.approx(gains[1], rel=0.2)


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_what_is_valid_is_what_half_of_the_weight_says(device):
    generator = torch.Generator().manual_seed(0)
    power = torch.rand(3, 2, 24, 24, generator=generator) + 0.1
    power[torch.rand(3, 1, 24, 24, generator=generator).expand_as(power) < 0.4] = torch.nan
    start, side = torch.tensor([0.0, 3.5, 8.0]), torch.tensor([24.0, 16.0, 8.0])
    flip = torch.tensor([False, True, False])
    axis = resampling_matrix(start, side, flip, 8, 24)
    found = resample(power.to(device), axis.to(device), axis.to(device)).cpu().numpy()
    values, weights = power.numpy().astype(np.float64), axis.numpy().astype(np.float64)
    good = np.isfinite(values)
    share = np.einsum("nij,nbjk,nlk->nbil", weights, good.astype(float), weights)
    total = np.einsum("nij,nbjk,nlk->nbil", weights, np.where(good, values, 0), weights)
    clear = np.abs(share - VALID_SHARE) > 1e-5
    assert (np.isfinite(found) == (share >= VALID_SHARE))[clear].all() and 0 < np.isnan(found).mean() < 1
    both = np.isfinite(found) & clear
    np.testing.assert_allclose(found[both], (total / np.maximum(share, 1e-9))[both], rtol=1e-4)


def test_a_band_missing_on_the_ground_is_missing_in_clean_views():
    window = np.full((2, 32, 32), -11, dtype=np.float32)
    window[1] = np.nan
    plan = plan_views([CropSample([window])], [np.random.default_rng(0)], BANDS, CONFIG)
    views = ViewMaker(BANDS, CONFIG, torch.device("cpu")).make(plan)
    assert bool(views.clean[:, :, 1].isnan().all()) and bool(views.clean[:, :, 0].isfinite().all())
    assert bool((views.groups[0][:, :, 1] == 0).all())


def test_hidden_bands_and_speckle_are_not_in_the_clean_views():
    config = dataclasses.replace(CONFIG, band_drop=1.0)
    plan = plan_of(6, config)
    views = ViewMaker(BANDS, config, torch.device("cpu")).make(plan)
    wanted = (torch.from_numpy(LEVELS) + plan.views[0].gain_db) / 10
    torch.testing.assert_close(views.clean, 10 ** wanted[..., None, None].expand_as(views.clean), rtol=1e-4, atol=0)
    assert bool(((views.groups[0] == 0).all(-1).all(-1).sum(-1) == 1).all())


def test_global_views_show_a_date_each_and_local_ones_either():
    plan = plan_of(200, dataclasses.replace(CONFIG, local_count=4), dates=2)
    both = plan.views[0].window - 2 * torch.arange(200)
    assert bool((both == torch.tensor([[0], [1]])).all())
    local = plan.views[1].window - 2 * torch.arange(200)
    assert 0.4 < float(local.float().mean()) < 0.6 and set(local.flatten().tolist()) == {0, 1}


def test_views_on_a_cpu_depend_on_neither_batch_nor_threads():
    before = torch.get_num_threads()
    made, noise = {}, {}
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            maker = ViewMaker(BANDS, CONFIG, torch.device("cpu"))
            for first, count in ((0, 6), (2, 1)):
                plan = plan_of(count, first=first)
                noise[threads, count] = maker._noise(plan, (16, 8))
                made[threads, count] = maker.make(plan).groups
    finally:
        torch.set_num_threads(before)
    for kind in (0, 1):
        for key in made:
            here = slice(2, 3) if key[1] == 6 else slice(0, 1)
            assert torch.equal(noise[1, 1][kind], noise[key][kind][:, here])  # the draws, bit by bit
            torch.testing.assert_close(made[1, 1][kind], made[key][kind][:, here], rtol=0, atol=1e-5)
        assert torch.equal(made[1, 6][kind], made[3, 6][kind])
