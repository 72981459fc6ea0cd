"""Make the views of multi-crop from their description, in batches, on the device that trains.

Resampling is in linear power, as a mean of dB is not the dB of a mean; coherence is averaged without conversion. On a
CPU the speckle of a sample has a generator of its own, so that views don't depend on the batch they are in; on other
devices one generator draws for all samples of a process, which gives the same draws for the same batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.card.model_card import Band
from backend.radiometry.convert import is_backscatter
from training.run.pretrain_config import CropConfig
from training.views.augment import SMOOTHED_VARIANCE, SPECKLE_KERNEL, speckle
from training.views.crops import PlannedViews, ViewPlan

# An output pixel is valid where at least half of its weighted input is.
VALID_SHARE = 0.5


class Views(NamedTuple):
    """Hold the views of a batch.

    Attributes:
        groups: Global views [2, N, B, g, g] and, if there are any, local views [L, N, B, l, l]; normalised float32.
        clean: float32 [2, N, B, g, g], the global views in linear power with their gain, without speckle and with all
            bands; NaN where a band is missing.
        mask: bool [2, N, rows, columns], hidden patches of the global views; None without masking.
    """

    groups: list[Tensor]
    clean: Tensor
    mask: Tensor | None = None


def resampling_matrix(start: Tensor, side: Tensor, flip: Tensor, size: int, window: int) -> Tensor:
    """Return matrices of linear interpolation along one axis; the filter is wider when coarsening, to avoid aliasing.

    Args:
        start: [N] first coordinate of the segment, in pixels of the window.
        side: [N] length of the segment.
        flip: bool [N], whether the output is mirrored.
        size: Output pixels.
        window: Input pixels.

    Returns:
        float32 [N, size, window], rows summing to 1.
    """
    step = (side / size)[:, None]
    index = torch.arange(size, dtype=torch.float32, device=start.device)
    index = torch.where(flip[:, None], size - 1 - index, index)
    centres = (start[:, None] + (index + 0.5) * step).clamp(0.5, window - 0.5)[..., None]
    pixel = torch.arange(window, dtype=torch.float32, device=start.device) + 0.5
    weights = (1 - (pixel - centres).abs() / step[..., None].clamp(min=1)).clamp(min=0)
    return weights / weights.sum(dim=-1, keepdim=True)


def resample(windows: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Resample by averaging without NaN (normalised convolution, Knutsson & Westin 1993).

    Args:
        windows: [N, B, side, side] linear power or coherence, NaN where invalid.
        rows: [N, size, side], see `resampling_matrix`.
        columns: [N, size, side].

    Returns:
        Means [N, B, size, size], NaN where less than VALID_SHARE is valid.
    """
    rows, columns = rows[:, None], columns[:, None].transpose(-1, -2)
    valid = torch.isfinite(windows)
    total = rows @ torch.where(valid, windows, 0.0) @ columns
    share = rows @ valid.float() @ columns
    return torch.where(share >= VALID_SHARE, total / share, torch.nan)


class ViewMaker:
    """Make views on a device.

    Args:
        bands: The card's bands.
        config: Geometry and augmentations.
        device: Device on which views are made.
    """

    def __init__(self, bands: Sequence[Band], config: CropConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self._radar = torch.from_numpy(is_backscatter(bands)).to(device)[:, None, None]
        columns = torch.tensor([(*band.clip, band.mean, band.std) for band in bands], device=device)
        self._threads = ThreadPoolExecutor(torch.get_num_threads())
        self._low, self._high, self._mean, self._std = columns.T[..., None, None]

    def make(self, plan: ViewPlan) -> Views:
        """Cut, resample and augment all views of a batch."""
        windows = plan.windows.to(self.device, non_blocking=True).float()
        linear = torch.where(self._radar, torch.pow(10.0, windows / 10), windows)
        views = [PlannedViews(*(t.to(self.device, non_blocking=True) for t in group)) for group in plan.views]
        sizes = (self.config.global_size, self.config.local_size)
        noise = self._noise(plan, sizes) if self.config.speckle else [None] * len(views)
        clean = [self._cut(linear, group, size) for group, size in zip(views, sizes)]
        groups = [
            self._normalised(self._changed(cut, group, factor)) for cut, group, factor in zip(clean, views, noise)
        ]
        mask = None if plan.mask is None else plan.mask.to(self.device, non_blocking=True)
        return Views(groups, clean[0], mask)

    def _cut(self, linear: Tensor, group: PlannedViews, size: int) -> Tensor:
        """Return views [V, N, B, size, size] in linear power with their gain, turned."""
        top, left, side = group.box.flatten(0, 1).unbind(-1)
        flips = group.flips.flatten(0, 1)
        rows = resampling_matrix(top, side, flips[:, 0], size, linear.shape[-1])
        columns = resampling_matrix(left, side, flips[:, 1], size, linear.shape[-1])
        windows = linear[group.window.flatten()]
        # Without gaps, which is usual, in half the time. On a card, looking would wait for all that was asked of it.
        whole = self.device.type == "cpu" and bool(torch.isfinite(linear).all())
        cut = rows[:, None] @ windows @ columns[:, None].mT if whole else resample(windows, rows, columns)
        if self.config.rot90:
            turns = group.turns.flatten()[:, None, None, None]
            for number in (1, 2, 3):
                cut = torch.where(turns == number, torch.rot90(cut, number, (-2, -1)), cut)
        gain = torch.pow(10.0, group.gain_db / 10)[..., None, None]
        return cut.reshape(*group.window.shape, *cut.shape[1:]) * gain

    def _changed(self, clean: Tensor, group: PlannedViews, noise: Tensor | None) -> Tensor:
        """Add speckle, and hide bands."""
        values = clean if noise is None else torch.where(self._radar, clean * noise, clean)
        band = torch.arange(clean.shape[2], device=clean.device)
        hidden = (band == group.dropped[..., None])[..., None, None]
        return values.masked_fill(hidden, torch.nan)

    def _normalised(self, values: Tensor) -> Tensor:
        """Clip and standardise as `backend.radiometry.convert.normalise` does."""
        scaled = torch.where(self._radar, 10 * torch.log10(values), values)
        x = (torch.minimum(torch.maximum(scaled, self._low), self._high) - self._mean) / self._std
        return torch.where(torch.isfinite(x), x, 0.0)

    def _noise(self, plan: ViewPlan, sizes: Sequence[int]) -> list[Tensor]:
        """Draw the speckle of all views, [V, N, B, size, size], 1 where a view has none."""
        bands = plan.windows.shape[1]
        if self.device.type != "cpu":
            generator = torch.Generator(self.device).manual_seed(int(plan.seeds[0]))
            looks = [group.looks.to(self.device) for group in plan.views]
            return [self._speckle(each, bands, size, generator) for each, size in zip(looks, sizes)]
        noise = [torch.ones(*g.looks.shape, bands, size, size) for g, size in zip(plan.views, sizes)]

        def fill(number: int) -> None:
            rng = np.random.default_rng(int(plan.seeds[number]))
            for group, size, field in zip(plan.views, sizes, noise):
                for view, looks in enumerate(group.looks[:, number].tolist()):
                    if looks:
                        drawn = speckle((bands, size, size), looks, self.config.speckle_correlated, rng)
                        field[view, number] = torch.from_numpy(drawn)

        list(self._threads.map(fill, range(len(plan.seeds))))
        return noise

    def _speckle(self, looks: Tensor, bands: int, size: int, generator: torch.Generator) -> Tensor:
        """Draw speckle as `training.views.augment.speckle` does, [..., bands, size, size] for looks of any shape.

        NumPy draws twice as fast on a CPU, and in threads.
        """
        fine = looks.clamp(min=1e-3) * (SMOOTHED_VARIANCE if self.config.speckle_correlated else 1.0)
        side = size + 2 if self.config.speckle_correlated else size
        shape = fine[..., None, None, None].expand(*looks.shape, bands, side, side)
        noise = torch._standard_gamma(shape.contiguous(), generator=generator) / shape
        if self.config.speckle_correlated:
            edge, middle, _ = SPECKLE_KERNEL.tolist()
            noise = edge * (noise[..., :-2, :] + noise[..., 2:, :]) + middle * noise[..., 1:-1, :]
            noise = edge * (noise[..., :-2] + noise[..., 2:]) + middle * noise[..., 1:-1]
        return torch.where(looks[..., None, None, None] > 0, noise, 1.0)
