"""Cut the views of multi-crop: choose boxes, resample them in linear power, augment them.

All views of a sample come from one square window of a scene, at one date or two. Resampling is in linear power, as a
mean of dB is not the dB of a mean; coherence is averaged without conversion. The caller seeds a generator for each
sample, so that workers, processes and resuming don't change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.radiometry.convert import from_linear, normalise, to_linear
from backend.radiometry.units import Units
from backend.stream.fill import fill_invalid
from training.data.augment import augment
from training.run.pretrain_config import CropConfig

ATTEMPTS = 10
# An output pixel is valid where at least half of its weighted input is.
VALID_SHARE = 0.5


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


def resampling_matrix(starts: FloatArray, sides: FloatArray, flips: BoolArray, size: int, window: int) -> torch.Tensor:
    """Return matrices of linear interpolation along one axis; the filter is wider when coarsening, to avoid aliasing.

    Args:
        starts: [N] first coordinate of the segment, in pixels of the window.
        sides: [N] length of the segment.
        flips: [N] whether the output is mirrored.
        size: Output pixels.
        window: Input pixels.

    Returns:
        float32 [N, size, window], rows summing to 1.
    """
    step = sides / size
    index = np.where(flips[:, None], np.arange(size)[::-1], np.arange(size)).astype(np.float32)
    centres = starts[:, None] + (index + 0.5) * step[:, None]
    centres = np.clip(centres, 0.5, window - 0.5)[..., None]
    reach = np.maximum(step, 1)[:, None, None]
    pixel = np.arange(window, dtype=np.float32) + np.float32(0.5)
    weights = torch.from_numpy(np.maximum(0, 1 - np.abs(pixel - centres) / reach).astype(np.float32))
    return weights / weights.sum(dim=-1, keepdim=True)


def resample(windows: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Resample by averaging without NaN (normalised convolution, Knutsson & Westin 1993).

    Args:
        windows: [N, B, side, side] linear power or coherence, NaN where invalid.
        rows: [N, size, side], see `resampling_matrix`.
        columns: [N, size, side].

    Returns:
        Means [N, B, size, size], NaN where less than VALID_SHARE is valid, and validity of the same shape.
    """
    valid = torch.isfinite(windows)
    rows, columns = rows[:, None], columns[:, None].transpose(-1, -2)
    total = rows @ torch.where(valid, windows, 0.0) @ columns
    share = rows @ valid.float() @ columns
    kept = share >= VALID_SHARE
    return torch.where(kept, total / share, torch.nan), kept


def views(
    samples: Sequence[CropSample], rngs: Sequence[np.random.Generator], bands: Sequence[Band], config: CropConfig
) -> list[torch.Tensor]:
    """Cut all views of a batch, grouped by size.

    Args:
        samples: N samples; of two dates each global view shows one, and local views show either.
        rngs: N generators, one per sample.
        bands: The card's bands.
        config: Geometry and augmentations.

    Returns:
        Global views [2, N, B, g, g] and, if there are any, local views [L, N, B, l, l]; normalised float32.
    """
    windows = [window for sample in samples for window in sample.dates]
    first = np.cumsum([0] + [len(sample.dates) for sample in samples[:-1]])
    side = windows[0].shape[-1]
    seen = [np.logical_and.reduce([np.isfinite(w).any(axis=0) for w in sample.dates]) for sample in samples]
    # As mapping does, and before speckle and gain. Boxes are still chosen by what was seen.
    whole = [fill_invalid(window, np.isfinite(window).any(axis=0)) for window in windows]
    linear = torch.from_numpy(to_linear(np.stack(whole), bands, Units.DB))

    def view(number: int | None, size: int, scale: tuple[float, float]) -> FloatArray:
        dates = [_date(sample, number, rng) for sample, rng in zip(samples, rngs)]
        boxes = [draw_box(s, scale, config.min_valid, rng) for s, rng in zip(seen, rngs)]
        flips = np.array([rng.random(2) < 0.5 for rng in rngs]) & config.flip
        top, left, length = np.array([(b.top, b.left, b.side) for b in boxes], dtype=np.float32).T
        rows = resampling_matrix(top, length, flips[:, 0], size, side)
        columns = resampling_matrix(left, length, flips[:, 1], size, side)
        cut = resample(linear[torch.from_numpy(first + dates)], rows, columns)[0].numpy()
        parts = [augment(v, s.gain_db, bands, config, rng) for v, s, rng in zip(cut, samples, rngs)]
        if config.rot90:  # off by default: it mixes look directions, and with them shadow and double bounce
            parts = [np.rot90(part, int(rng.integers(4)), axes=(1, 2)) for part, rng in zip(parts, rngs)]
        return np.stack(parts)

    large = [view(number, config.global_size, config.global_scale) for number in range(2)]
    small = [view(None, config.local_size, config.local_scale) for _ in range(config.local_count)]
    return [torch.from_numpy(_normalise(np.stack(made), bands)) for made in (large, small) if made]


def _date(sample: CropSample, view: int | None, rng: np.random.Generator) -> int:
    """Choose the date of a view: one each for global views, either for local ones (None)."""
    if len(sample.dates) == 1:
        return 0
    return int(rng.integers(len(sample.dates))) if view is None else view % len(sample.dates)


def _normalise(values: FloatArray, bands: Sequence[Band]) -> FloatArray:
    # [V, N, B, s, s] as one tall image [B, V * N * s, s], for one call of radiometry's functions.
    v, n, b, s, _ = values.shape
    tall = from_linear(values.transpose(2, 0, 1, 3, 4).reshape(b, v * n * s, s), bands)
    x = normalise(tall, np.ones(tall.shape[1:], dtype=np.bool_), bands)
    return np.ascontiguousarray(x.reshape(b, v, n, s, s).transpose(1, 2, 0, 3, 4))
