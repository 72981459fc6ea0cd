"""Compute focal statistics of backscatter: mean and standard deviation in windows around each pixel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def feature_count(bands: int, windows: Sequence[int]) -> int:
    """Return the number of channels of `window_features`."""
    return (bands + (bands > 1)) * (1 + 2 * len(windows))


def window_features(x: Tensor, windows: Sequence[int]) -> Tensor:
    """Return the input, then its mean and standard deviation in square windows, over valid pixels only.

    Means are of normalised dB, as in the analysts' features that these are, and unlike resampling: dB makes speckle
    additive, so that the deviation measures texture whatever the level. Of several bands the first two are subtracted
    too, which splits of single features can't do.

    Args:
        x: Network input [N, B, H, W]. What has no data was filled (`backend/stream/fill.py`), and counts as the copies
            of pixels beyond a raster's end do; where it wasn't, pixels that are 0 in all bands are invalid.
        windows: Sides in pixels, odd. At borders a window holds what lies inside.

    Returns:
        [N, feature_count(B, windows), H, W]: B bands, or B and their difference, of each kind; 0 where a window holds
        no valid pixel.
    """
    valid = validity(x)
    parts = [x]
    for side in windows:
        count = windowed_sum(valid, side).clamp_min(1)
        mean = windowed_sum(x, side) / count
        square = windowed_sum(x * x, side) / count
        parts += [mean, (square - mean * mean).clamp_min(0).sqrt()]
    if x.shape[1] > 1:
        parts = [torch.cat((part, part[:, :1] - part[:, 1:2]), dim=1) for part in parts]
    return torch.cat(parts, dim=1)


def validity(x: Tensor) -> Tensor:
    """Return 1 where a pixel of [N, B, H, W] is valid, else 0; [N, 1, H, W]."""
    return (x != 0).any(dim=1, keepdim=True).to(x.dtype)


def windowed_sum(x: Tensor, side: int) -> Tensor:
    """Return the sums over square windows of [N, C, H, W], in the same shape; nothing counts beyond the border."""
    return F.avg_pool2d(x, side, stride=1, padding=side // 2, divisor_override=1)
