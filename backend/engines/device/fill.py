"""Fill nodata in tiles on a device, with the same pixels as `backend.stream.fill` takes.

The nearest valid pixel of each: first the nearest one in each column, then, along the row, the column through which the
way is shortest (the first two passes of every separable distance transform; Meijster et al. 2000, "A general algorithm
for computing distance transforms in linear time"). All columns are tried at once, which a card does faster than it
follows a lower envelope. Of pixels that are equally near, SciPy takes the upper one of a column, and the first column;
so does this.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Distances tried at once, 4 bytes each.
MOST_TRIED = 2**26
FAR = 2**14  # pixels, more than a tile has


def fill_invalid(x: Tensor, valid: Tensor) -> Tensor:
    """Return tiles whose invalid pixels are copies of the nearest valid pixel, all bands of it.

    Args:
        x: float32 [n, B, H, W].
        valid: bool [n, H, W]; some pixel of every tile is valid.

    Returns:
        float32 [n, B, H, W] in new memory.
    """
    step = max(1, MOST_TRIED // (valid.shape[1] * valid.shape[2] ** 2))
    return torch.cat([_filled(a, b) for a, b in zip(torch.split(x, step), torch.split(valid, step))])


def _filled(x: Tensor, valid: Tensor) -> Tensor:
    _, height, width = valid.shape
    rows = torch.arange(height, device=x.device, dtype=torch.int32)[:, None]
    above = torch.where(valid, rows, -FAR).cummax(1).values
    below = torch.where(valid, rows, FAR).flip(1).cummin(1).values.flip(1)
    nearest = torch.where(rows - above <= below - rows, above, below)
    # Whole numbers below 2^24 for all pixels of a tile, so that float32 holds them exactly; all else is farther.
    down = (nearest - rows).float().square()
    columns = torch.arange(width, device=x.device, dtype=torch.float32)
    ways = down[:, :, None, :] + (columns[:, None] - columns).square()
    column = ways.argmin(3)  # the first of equals
    row = nearest.gather(2, column).long()
    at = (row * width + column).flatten(1)[:, None].expand(-1, x.shape[1], -1)
    return x.flatten(2).gather(2, at).view_as(x)
