"""Make network input on a device out of stored values, one row of tiles after another.

Stored values are copied once, slab by slab; all that a processor does with them elsewhere (units, validity,
normalisation, tiles, filling) happens where the network is. Back come the validity of rows and two facts of each tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from backend.core.arrays import BoolArray, IndexArray
from backend.engines.device.fill import fill_invalid
from backend.engines.device.transfer import Fetched, Mark, constant, pinned, refusing, to_device
from backend.radiometry.conversion import Conversion
from backend.radiometry.rules import Operations
from backend.raster.stored import StoredReader
from backend.stream.ahead import Ahead, Slab
from backend.stream.pipeline import Flow
from backend.stream.rows import Frame
from backend.stream.tiling import TilePlan, reflect


def torch_operations(device: torch.device) -> Operations:
    """Return what the rules of conversion need, of PyTorch on a device."""
    return Operations(
        torch.log10,
        torch.clip,
        torch.isfinite,
        Tensor.float,
        lambda values: constant(values, device),
        lambda condition, values: torch.where(condition, values, 0.0),
        torch.stack,
    )


class DeviceCutter:
    """Cut tiles that are tensors on a device; see `backend.stream.cutting.Cutter`.

    Args:
        frame: Of which the rows are; its size alone is asked for.
        plan: Tiles over it; every row of them is read.
        flow: Whose threads read the file.
        readers: Of the frame's stored values, one for each thread.
        conversion: Of these to network input.
        device: Where the network is.

    Raises:
        ResourceError: The device hasn't the memory for a row of tiles; of `read` too.
    """

    def __init__(
        self,
        frame: Frame,
        plan: TilePlan,
        flow: Flow,
        *,
        readers: Sequence[StoredReader],
        conversion: Conversion,
        device: torch.device,
    ) -> None:
        self._plan, self._width, self._device = plan, frame.width, device
        self._conversion, self._operations = conversion, torch_operations(device)
        self._stride = plan.columns.origins[1] if len(plan.columns.origins) > 1 else plan.tile
        # Rows of the frame that are held, converted.
        self._x = torch.empty((conversion.count, 0, frame.width), device=device)
        self._valid = torch.empty((0, frame.width), dtype=torch.bool, device=device)
        self._top = 0
        self._coming: _Prepared | None = None
        self._copied: Mark | None = None  # of the slab that has not been released
        # Last, as its threads begin at once.
        size = frame.height, frame.width
        self._ahead = Ahead(readers, conversion.storage, size, partial(pinned, device=device), flow)
        self._slabs: Iterator[Slab] = iter(self._ahead)

    def read(self, row: int) -> _DeviceRow:
        """Read a row of tiles.

        The one after it is prepared first: its facts are there when they are asked for, instead of waiting for the
        network, which gets the tiles of this one.
        """
        with torch.inference_mode(), refusing(self._device, self._plan.columns.padded):
            present = self._coming or self._prepared(row)
            self._coming = self._prepared(row + 1) if row + 1 < len(self._plan.rows.origins) else None
            return self._cut(present)

    def _prepared(self, row: int) -> _Prepared:
        x, valid = self._row(row)
        rows, tile = self._plan.rows, self._plan.tile
        final = valid[: rows.finished(row) - rows.origins[row], : self._width]
        some, whole = (each.unfold(0, tile, self._stride) for each in (valid.any(0), valid.all(0)))
        return _Prepared(x, valid, Fetched(torch.stack((some.any(1), whole.all(1))), final))

    def _cut(self, row: _Prepared) -> _DeviceRow:
        (some, whole), validity = row.facts.arrays()
        wanted = np.flatnonzero(some)
        if not len(wanted):
            return _DeviceRow(validity, {})
        tile = self._plan.tile
        tiles = self._picked(row.x.unfold(2, tile, self._stride).permute(2, 0, 1, 3), wanted).contiguous()
        holed = np.flatnonzero(~whole[wanted])
        if len(holed):
            there = self._picked(row.valid.unfold(1, tile, self._stride).permute(1, 0, 2), wanted[holed])
            places = self._index(holed)
            tiles[places] = fill_invalid(tiles[places], there)
        return _DeviceRow(validity, dict(zip(wanted.tolist(), tiles)))

    def stack(self, tiles: Sequence[Tensor]) -> Tensor:
        """Join tiles."""
        with refusing(self._device, self._plan.columns.padded):
            return torch.stack(tuple(tiles))

    def _row(self, row: int) -> tuple[Tensor, Tensor]:
        """Return input [B, tile, padded] and validity of a row of tiles, reflected where it overhangs the frame."""
        rows = self._plan.rows.sources(row)
        first = int(rows.min())
        x, valid = self._held(first, int(rows.max()) + 1)
        if rows[-1] != first + len(rows) - 1:
            order = self._index(rows - first)
            x, valid = x[:, order], valid[order]
        if self._plan.columns.padded > self._width:
            order = self._index(reflect(np.arange(self._plan.columns.padded), self._width))
            x, valid = x[:, :, order], valid[:, order]
        return x, valid

    def _held(self, top: int, bottom: int) -> tuple[Tensor, Tensor]:
        """Return rows of the frame; those above them are given up."""
        x, valid = [self._x[:, top - self._top :]], [self._valid[top - self._top :]]
        while top + sum(part.shape[0] for part in valid) < bottom:
            more = self._converted(next(self._slabs))
            x.append(more[0])
            valid.append(more[1])
        self._x, self._valid, self._top = torch.cat(x, 1), torch.cat(valid), top
        return self._x[:, : bottom - top], self._valid[: bottom - top]

    def _converted(self, slab: Slab) -> tuple[Tensor, Tensor]:
        if self._copied is not None:  # by now, long ago
            self._copied.wait()
            self._ahead.release()
        stored = to_device(slab.values, self._device)
        told = None if slab.told is None else to_device(slab.told, self._device)
        self._copied = Mark(self._device)
        return self._conversion.apply(tuple(stored), told, self._operations)

    def _picked(self, tiles: Tensor, wanted: IndexArray) -> Tensor:
        """Return some of the tiles along the first axis; a view where it is all."""
        return tiles if len(wanted) == len(tiles) else tiles[self._index(wanted)]

    def _index(self, numbers: IndexArray) -> Tensor:
        return constant(numbers.astype(np.int64), self._device)


@dataclass(frozen=True)
class _Prepared:
    """Hold a row of tiles on a device, before it is cut.

    Attributes:
        x: Input [B, tile, padded].
        valid: Validity [tile, padded].
        facts: Which tiles have a valid pixel, and which no other [2, columns]; and the validity of final rows.
    """

    x: Tensor
    valid: Tensor
    facts: Fetched


class _DeviceRow:
    """Hold a row of tiles on a device.

    Args:
        valid: See `backend.stream.cutting.TileRow`.
        tiles: Those with a valid pixel, by column.
    """

    def __init__(self, valid: BoolArray, tiles: dict[int, Tensor]) -> None:
        self.valid, self._tiles = valid, tiles

    def tile(self, column: int) -> Tensor | None:
        """Return a tile, filled where it is not valid."""
        return self._tiles.get(column)
