"""Draw the views of multi-crop: their boxes in the window of a sample, and how each is augmented.

All views of a sample come from one square window of a scene, at one date or two. Here they are only described;
`training.views.maker` makes them from the description, on the device that trains. The caller seeds a generator for each
sample, so that workers, processes and resuming don't change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.stream.fill import fill_invalid
from training.run.pretrain_config import CropConfig
from training.views.augment import draw_changes

ATTEMPTS = 10


@dataclass(frozen=True)
class Box:
    """Describe a square of a window, in pixels of the window; corners may be fractions."""

    top: float
    left: float
    side: float


@dataclass(frozen=True)
class CropSample:
    """Hold the window from which the views of one sample are cut.

    Attributes:
        dates: float32 [B, side, side] of the window at one date or two, dB (coherence from 0 to 1), NaN where invalid.
        gain_db: Gain of the whole sample, shared by dates and views.
    """

    dates: Sequence[FloatArray]
    gain_db: float = 0.0


class PlannedViews(NamedTuple):
    """Describe V views of one size of N samples.

    Attributes:
        window: int64 [V, N], number of the window that a view is cut from.
        box: float32 [V, N, 3], top, left and side in pixels of the window.
        flips: bool [V, N, 2], mirrored along rows and columns.
        turns: int64 [V, N], quarter turns.
        looks: float32 [V, N], of the extra speckle; 0 for none.
        gain_db: float32 [V, N, B].
        dropped: int64 [V, N], the hidden band, -1 for none.
    """

    window: Tensor
    box: Tensor
    flips: Tensor
    turns: Tensor
    looks: Tensor
    gain_db: Tensor
    dropped: Tensor


class ViewPlan(NamedTuple):
    """Hold the windows of a batch and the description of all views; small enough to be sent between processes.

    Attributes:
        windows: float16 [W, B, side, side], dB (coherence from 0 to 1), filled; NaN where a band is missing.
        views: Description of the global views, then of the local ones, if there are any.
        seeds: int64 [N], seed of the speckle of each sample.
        mask: bool [2, N, rows, columns], patches of the global views that are hidden; None without masking.
    """

    windows: Tensor
    views: tuple[PlannedViews, ...]
    seeds: Tensor
    mask: Tensor | None = None


def draw_box(seen: BoolArray, scale: tuple[float, float], min_valid: float, rng: np.random.Generator) -> Box:
    """Draw a random square of a window; mostly invalid ones are drawn again.

    Args:
        seen: bool [side, side], where any band has a value at all dates.
        scale: Lowest and highest area as a fraction of the window.
        min_valid: Lowest valid share; after ATTEMPTS draws the best box is taken.
        rng: Random generator.
    """
    side = seen.shape[0]
    best, best_share = Box(0, 0, side), -1.0
    for _ in range(ATTEMPTS):
        size = side * float(np.sqrt(rng.uniform(*scale)))
        top, left = rng.uniform(0, side - size, size=2)
        rows, columns = slice(int(top), int(top + size) + 1), slice(int(left), int(left + size) + 1)
        share = float(seen[rows, columns].mean())
        if share > best_share:
            best, best_share = Box(float(top), float(left), size), share
        if share >= min_valid:
            break
    return best


def plan_views(
    samples: Sequence[CropSample], rngs: Sequence[np.random.Generator], bands: Sequence[Band], config: CropConfig
) -> ViewPlan:
    """Draw the views of a batch.

    Args:
        samples: N samples; of two dates each global view shows one, and local views show either.
        rngs: N generators, one per sample.
        bands: The card's bands.
        config: Geometry and augmentations.
    """
    windows: list[FloatArray] = []
    drawn: list[list[list[_View]]] = []
    seeds = []
    kinds = [(2, config.global_scale), (config.local_count, config.local_scale)]
    for sample, rng in zip(samples, rngs):
        seen = np.logical_and.reduce([np.isfinite(w).any(axis=0) for w in sample.dates])
        first = len(windows)
        # Filled as in mapping, before speckle and gain. Boxes are still chosen by the pixels that were seen.
        windows += [fill_invalid(window, np.isfinite(window).any(axis=0)) for window in sample.dates]
        drawer = _Drawer(sample, seen, first, bands, config)
        drawn.append([[drawer.draw(i, count, scale, rng) for i in range(count)] for count, scale in kinds])
        seeds.append(int(rng.integers(2**62)))
    planned = tuple(
        _stacked([[sample[kind][view] for sample in drawn] for view in range(count)])
        for kind, (count, _) in enumerate(kinds)
        if count
    )
    packed = torch.from_numpy(np.stack(windows).astype(np.float16))
    return ViewPlan(packed, planned, torch.tensor(seeds, dtype=torch.int64))


# Window, box, flips, quarter turns, looks, gain and hidden band of one view.
_View = tuple[int, tuple[float, float, float], tuple[bool, bool], int, float, FloatArray, int]


@dataclass(frozen=True)
class _Drawer:
    """Draw views of one sample."""

    sample: CropSample
    seen: BoolArray
    first: int
    bands: Sequence[Band]
    config: CropConfig

    def draw(self, number: int, count: int, scale: tuple[float, float], rng: np.random.Generator) -> _View:
        date = self._date(number if scale is self.config.global_scale else None, rng)
        box = draw_box(self.seen, scale, self.config.min_valid, rng)
        flips = (bool(rng.random() < 0.5), bool(rng.random() < 0.5)) if self.config.flip else (False, False)
        present: BoolArray = np.isfinite(self.sample.dates[date]).any(axis=(1, 2))
        changes = draw_changes(self.sample.gain_db, self.bands, present, self.config, rng)
        # Off by default: quarter turns mix look directions, and with them shadow and double bounce.
        turns = int(rng.integers(4)) if self.config.rot90 else 0
        place = (box.top, box.left, box.side)
        return self.first + date, place, flips, turns, changes.looks, changes.gain_db, changes.dropped

    def _date(self, view: int | None, rng: np.random.Generator) -> int:
        """Choose the date of a view: one each for global views, either for local ones (None)."""
        if len(self.sample.dates) == 1:
            return 0
        return int(rng.integers(len(self.sample.dates))) if view is None else view % len(self.sample.dates)


def _stacked(views: list[list[_View]]) -> PlannedViews:
    types = (np.int64, np.float32, np.bool_, np.int64, np.float32, np.float32, np.int64)
    columns = [
        torch.from_numpy(np.array([[view[i] for view in row] for row in views], dtype=kind))
        for i, kind in enumerate(types)
    ]
    return PlannedViews(*columns)
