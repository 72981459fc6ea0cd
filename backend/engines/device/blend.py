"""Blend tiles and choose classes on the graphics card that holds the answers, so that only the result is copied.

Eleven probabilities of a pixel are 44 bytes, its class is one; and a card adds them up sooner than a processor can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.card.model_card import LandCoverClass
from backend.engines.device.transfer import Fetched, constant, refusing
from backend.stream.decision import group_members, total
from backend.stream.tiling import TilePlan

# Turns blended planes [channels, rows, width] into the wanted output, in memory of its own.
Reduce = Callable[[Tensor], Tensor]


class DeviceBlender:
    """Blend as `backend.stream.blend.RowBlender` does, for tiles that are tensors on a device.

    Args:
        plan: The plan of the tiles.
        channels: Planes of a tile.
        device: Device of the tiles, such as "cuda".
        reduce: Function of finished rows, applied before they leave the device.

    Raises:
        ResourceError: The device hasn't the memory for one tile's height of rows.
    """

    def __init__(self, plan: TilePlan, channels: int, device: torch.device | str, reduce: Reduce) -> None:
        self._plan, self._reduce = plan, reduce
        device = torch.device(device)
        with refusing(device, plan.columns.padded):
            self._rows = torch.zeros((channels, plan.tile, plan.columns.padded), device=device)
        self._device = device
        self._weights: dict[tuple[bytes, bytes], Tensor] = {}

    def add(self, row: int, column: int, values: Tensor) -> None:
        """Add a tile, float32 [channels, tile, tile]; order as for `RowBlender`."""
        left = self._plan.columns.origins[column]
        self._rows[:, :, left : left + self._plan.tile].addcmul_(values, self._weight(row, column))

    def finish(self, row: int) -> NDArray[Any]:
        """Return the rows that are final once tile row `row` is complete, in the shape and type of `reduce`."""
        axis = self._plan.rows
        count = axis.finished(row) - axis.origins[row]
        (done,) = Fetched(self._reduce(self._rows[:, :count, : self._plan.columns.size])).arrays()
        if row + 1 < len(axis.origins):
            step = axis.origins[row + 1] - axis.origins[row]
            kept = self._plan.tile - step
            self._rows[:, :kept] = self._rows[:, step:].clone()
            self._rows[:, kept:] = 0
        return done

    def _weight(self, row: int, column: int) -> Tensor:
        """Return the weights of a tile [tile, tile]; all tiles but those at edges have the same."""
        down, across = self._plan.rows.weights[row], self._plan.columns.weights[column]
        key = down.tobytes(), across.tobytes()
        if key not in self._weights:
            self._weights[key] = torch.from_numpy(down[:, None] * across).to(self._device)
        return self._weights[key]


def deciding(classes: Sequence[LandCoverClass], confidence: bool) -> Reduce:
    """Return the decision of `backend.stream.decision`, computed on a device.

    Args:
        classes: Legend of the card, in the order of the probabilities.
        confidence: Whether the probability of the class is wanted too.

    Returns:
        A function from probabilities float32 [K, rows, width] to values of classes uint8 [1, rows, width], or to values
        and probabilities, float32 [2, rows, width].
    """
    members = group_members(classes)
    values = np.array([item.value for item in classes], dtype=np.uint8)

    def reduce(probabilities: Tensor) -> Tensor:
        shape, device = probabilities.shape[1:], probabilities.device
        best = torch.zeros(shape, dtype=torch.uint8, device=device)
        top = torch.full(shape, -np.inf, device=device)
        chosen = torch.zeros(shape, device=device)
        for group in members:
            sums, highest = total(probabilities, group), probabilities[group[0]]
            likeliest = torch.full_like(best, group[0])
            for index in group[1:]:
                each = probabilities[index]
                likeliest = torch.where(each > highest, torch.full_like(best, index), likeliest)
                highest = torch.maximum(highest, each)
            better = sums > top
            best, chosen = torch.where(better, likeliest, best), torch.where(better, highest, chosen)
            top = torch.maximum(top, sums)
        value = constant(values, device)[best.int()]
        return torch.stack((value.float(), chosen)) if confidence else value[None]

    return reduce
