"""Make network input on a device out of stored values, one row of tiles after another.

Stored values are copied once, slab by slab; all that a processor does with them elsewhere (units, validity,
normalisation, tiles, filling) happens where the network is. Back come the validity of rows and two facts of each tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from backend.core.arrays import BoolArray, IndexArray
from backend.engines.device.fill import fill_invalid
from backend.engines.device.transfer import pinned, refusing, to_device, to_host
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
        lambda values: torch.from_numpy(values).to(device),
        lambda condition, values: torch.where(condition, values, 0.0),
        torch.stack,
    )


class DeviceCutter:
    """Cuts tiles that are tensors on a device; see `backend.stream.cutting.Cutter`.

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
        ahead = Ahead(
            readers,
            conversion.storage,
            (frame.height, frame.width),
            lambda shape, kind: pinned(shape, kind, device),
            flow,
        )
        self._slabs: Iterator[Slab] = iter(ahead)
        # Rows of the frame that are held, converted.
        self._x = torch.empty((conversion.count, 0, frame.width), device=device)
        self._valid = torch.empty((0, frame.width), dtype=torch.bool, device=device)
        self._top = 0

    def read(self, row: int) -> _DeviceRow:
        """Read a row of tiles."""
        with torch.inference_mode(), refusing(self._device, self._plan.columns.padded):
            x, valid = self._row(row)
            rows, columns, tile = self._plan.rows, self._plan.columns, self._plan.tile
            final = valid[: rows.finished(row) - rows.origins[row], : self._width]
            stride = columns.origins[1] if len(columns.origins) > 1 else tile
            some = valid.any(0).unfold(0, tile, stride).any(1)
            whole = valid.all(0).unfold(0, tile, stride).all(1)
            facts, validity = to_host(torch.stack((some, whole)), final)
            wanted = np.flatnonzero(facts[0])
            if not len(wanted):
                return _DeviceRow(validity, {})
            tiles = self._picked(x.unfold(2, tile, stride).permute(2, 0, 1, 3), wanted).contiguous()
            holed = wanted[~facts[1][wanted]]
            if len(holed):
                there = self._picked(valid.unfold(1, tile, stride).permute(1, 0, 2), holed)
                places = self._index(np.flatnonzero(~facts[1][wanted]))
                tiles[places] = fill_invalid(tiles[places], there)
            return _DeviceRow(validity, dict(zip(wanted.tolist(), tiles)))

    def stack(self, tiles: Sequence[Tensor]) -> Tensor:
        """Join tiles."""
        return torch.stack(tuple(tiles))

    def _row(self, row: int) -> tuple[Tensor, Tensor]:
        """Return input [B, tile, padded] and validity of a row of tiles, reflected where it overhangs the frame."""
        rows = self._plan.rows.sources(row)
        first = int(rows.min())
        x, valid = self._held(first, int(rows.max()) + 1)
        if len(rows) != x.shape[1]:
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
        stored = to_device(slab.values, self._device)
        told = None if slab.told is None else to_device(slab.told, self._device)
        return self._conversion.apply(tuple(stored), told, self._operations)

    def _picked(self, tiles: Tensor, wanted: IndexArray) -> Tensor:
        """Return some of the tiles along the first axis; a view where it is all."""
        return tiles if len(wanted) == len(tiles) else tiles[self._index(wanted)]

    def _index(self, numbers: IndexArray) -> Tensor:
        return torch.from_numpy(numbers.astype(np.int64)).to(self._device)


class _DeviceRow:
    """A row of tiles on a device.

    Args:
        valid: See `backend.stream.cutting.TileRow`.
        tiles: Those with a valid pixel, by column.
    """

    def __init__(self, valid: BoolArray, tiles: dict[int, Tensor]) -> None:
        self.valid, self._tiles = valid, tiles

    def tile(self, column: int) -> Tensor | None:
        """Return a tile, filled where it is not valid."""
        return self._tiles.get(column)
