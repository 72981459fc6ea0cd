"""Cut tiles out of rows of tiles, with what overhangs the raster reflected and what has no data filled.

On a processor, in arrays; `backend.engines.device.rows.DeviceCutter` does it on a graphics card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray, IndexArray
from backend.stream.fill import fill_invalid
from backend.stream.pipeline import Flow
from backend.stream.rows import Frame, Rows, TileRows
from backend.stream.tiling import TilePlan, reflect


class TileRow(Protocol):
    """Hold a row of tiles that was read, good until the next one is read.

    Attributes:
        valid: Validity of the frame's rows that no later row of tiles reads, [rows, width], in memory of its own.
    """

    valid: BoolArray

    def tile(self, column: int) -> Any | None:
        """Return network input [bands, tile, tile] that stays good; None where nothing is valid."""


class Cutter(Protocol):
    """Read rows of tiles, from top to bottom."""

    def read(self, row: int) -> TileRow:
        """Return a row of tiles; rows may be left out."""

    def stack(self, tiles: Sequence[Any]) -> Any:
        """Join tiles to a batch [n, bands, tile, tile]."""


class HostCutter:
    """Cut tiles of arrays.

    Args:
        frame: Source of network input.
        plan: Tiles over it.
        flow: Not used: the caller's thread reads.
    """

    def __init__(self, frame: Frame, plan: TilePlan, flow: Flow) -> None:
        self._rows, self._plan = TileRows(frame, plan), plan

    def read(self, row: int) -> TileRow:
        """Read a row of tiles."""
        return _HostRow(self._rows.read(row), self._plan, row)

    def stack(self, tiles: Sequence[FloatArray]) -> FloatArray:
        """Join tiles; one needs no other copy."""
        return np.stack(tiles) if len(tiles) > 1 else tiles[0][None]


def unread(plan: TilePlan, row: int, width: int) -> TileRow:
    """Return a row of tiles of which none is wanted: nothing is valid."""
    shape = plan.tile, width
    return _HostRow((np.empty((0, *shape), dtype=np.float32), np.zeros(shape, dtype=np.bool_), slice(None)), plan, row)


def read_tile_row(rows: TileRows, plan: TilePlan, row: int) -> tuple[FloatArray, BoolArray]:
    """Return input and validity of a whole tile row, with what overhangs the raster filled by reflection.

    Where nothing overhangs, they are good until the next row is read.
    """
    x, valid, order = rows.read(row)
    if not isinstance(order, slice):
        x = x[:, order]
    return _across(x, 0, plan.columns.padded), _across(valid, 0, plan.columns.padded)


class _HostRow:
    """Hold a row of tiles in memory that the next one overwrites.

    Args:
        rows: As read.
        plan: Tiles.
        row: Index of the row.
    """

    def __init__(self, rows: Rows, plan: TilePlan, row: int) -> None:
        (self._x, self._valid, self._order), self._plan = rows, plan
        self.valid: BoolArray = self._valid[: plan.rows.finished(row) - plan.rows.origins[row]].copy()

    def tile(self, column: int) -> FloatArray | None:
        """Return a tile, filled where it is not valid."""
        left = self._plan.columns.origins[column]
        there = _across(self._valid, left, self._plan.tile)
        return _tile(self._x, left, self._order, there) if there.any() else None


def _tile(x: FloatArray, left: int, order: IndexArray | slice, valid: BoolArray) -> FloatArray:
    """Return a tile of a row of tiles in memory of its own, filled where it is not valid."""
    cut = _across(x, left, len(valid))[:, order]
    tile = fill_invalid(cut, valid)
    # What was reflected or filled is a copy already; all else lies in the row, which the next one takes the place of.
    return tile.copy() if np.may_share_memory(tile, x) else tile


def _across(values: NDArray[Any], left: int, size: int) -> NDArray[Any]:
    """Return some columns, those beyond the raster by reflection: of one tile, as a copy of a whole row is large."""
    width = values.shape[-1]
    if left + size <= width:
        return values[..., left : left + size]
    return values[..., reflect(np.arange(left, left + size), width)]
