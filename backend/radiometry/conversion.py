"""Describe how stored values become network input, as a value that NumPy and PyTorch both apply.

What `backend.raster.source.RasterSource` and `backend.radiometry.convert.prepare` do between them, in one step without
rasterio, so that it can be done where the network is. A test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.card.model_card import Band
from backend.radiometry.convert import is_backscatter
from backend.radiometry.rules import Operations, card_columns, decibels, possible, standardised
from backend.radiometry.units import Units, exactly_zero
from backend.raster.stored import Storage


@dataclass(frozen=True)
class Conversion:
    """Convert stored values of some of a card's bands to network input and validity.

    Attributes:
        storage: How the values are stored.
        bands: The card's bands that are read.
        units: Unit of their backscatter, decided.
        present: Positions of `bands` among the card's.
        count: Number of the card's bands; those that are missing are 0, as in training.
    """

    storage: Storage
    bands: tuple[Band, ...]
    units: Units
    present: tuple[int, ...]
    count: int

    def apply(self, stored: Sequence[Any], told: Any | None, do: Operations) -> tuple[Any, Any]:
        """Convert a window.

        Args:
            stored: Values of each band [H, W], as they are in the file; they are not changed.
            told: Validity by masks, bool [H, W]; None where there are none.
            do: NumPy's or PyTorch's.

        Returns:
            Network input float32 [count, H, W], 0 where not valid or missing, and validity bool [H, W].
        """
        planes, valid = [], told
        for plane, nodata in zip(stored, self.storage.nodata):
            good = do.isfinite(plane)
            for value in nodata:
                good &= plane != value
            planes.append(do.as_float(plane))
            valid = good if valid is None else valid & good
        planes = [self._scaled(row, plane) for row, plane in enumerate(planes)]
        for row, value in self.storage.filling:
            valid = valid & (planes[row] != float(np.float32(value)))
        planes, valid = self._on_scale(planes, valid, do)
        columns = do.constant(card_columns(self.bands))
        nothing = do.where(~valid & valid, planes[0])
        x = [nothing] * self.count
        for row, (plane, position) in enumerate(zip(planes, self.present)):
            x[position] = do.where(valid, standardised(plane[None], columns[:, row : row + 1], do)[0])
        return do.stack(x), valid

    def _scaled(self, row: int, values: Any) -> Any:
        """Return values of a band after scale and offset, in float32 at each step."""
        if not any(scale != 1 for scale in self.storage.scales) and not any(self.storage.offsets):
            return values
        scale, offset = (float(np.float32(each[row])) for each in (self.storage.scales, self.storage.offsets))
        return values * scale + offset

    def _on_scale(self, planes: list[Any], valid: Any, do: Operations) -> tuple[list[Any], Any]:
        """Return backscatter in dB, coherence unchanged, and validity; as `backend.radiometry.convert.to_scale`."""
        radar = is_backscatter(self.bands)
        result = [decibels(plane, self.units, do) if is_radar else plane for plane, is_radar in zip(planes, radar)]
        for plane, is_radar in zip(result, radar):
            valid = valid & (possible(plane) if is_radar else do.isfinite(plane))
        backscatter = [plane for plane, is_radar in zip(result, radar) if is_radar]
        if self.units is Units.DB and len(backscatter) > 1:
            valid = valid & ~exactly_zero(backscatter)
        return result, valid
