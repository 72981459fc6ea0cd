"""Store the needed part of an image in tiles on disk: measurement files have lines, and a map row crosses thousands.

Sample and line are those of the whole image. With a lattice, power is divided by the area of the ground in each sample.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from backend.core.arrays import FloatArray
from backend.core.errors import ResourceError
from backend.grd.calibrated_image import CalibratedImage
from backend.grd.map_plan import MapPlan
from backend.grd.terrain.lattice import STRIP, UNKNOWN, Lattice
from backend.raster.errors import RASTER_ERRORS

# Image lines read at once, and the side of the tiles.
LINES = 256
TILE = 256
# Area of the ground in a sample, in relation to that of the sample, below which it holds little but noise: level ground
# has 0.9 to 1.9, a slope seen at 84 degrees 0.1.
LEAST_AREA = np.float32(0.1)


class RadarFile:
    """Write power in image geometry, and the mask of layover and shadow in that of the lattice.

    Args:
        plan: The map's plan: its part of the image is stored.
        image: Calibrated power.
        count: Number of bands.
        lattice: Ground under the image; None if nothing of it is wanted.
        flatten: Whether power, which is beta nought then, becomes gamma nought of the terrain.
    """

    def __init__(
        self, plan: MapPlan, image: CalibratedImage, count: int, lattice: Lattice | None, flatten: bool
    ) -> None:
        self._plan, self._image, self._count = plan, image, count
        self._lattice, self._flatten = lattice, flatten

    def write(self, power: Path, mask: Path | None, progress: Callable[[int], None]) -> None:
        """Write both files.

        Args:
            power: File of power to write, float32; NaN is nodata.
            mask: File of the mask to write, uint8; None if it isn't wanted.
            progress: Is called with the number of lines written.

        Raises:
            ResourceError: The disk has too little free space.
        """
        plan = self._plan
        width = self._lattice.width if self._lattice else 0
        _check_space(power, plan.height * (4 * self._count * plan.width + (width if mask else 0)))
        try:
            with ExitStack() as stack:
                place = Affine(1, 0, plan.left - 0.5, 0, -1, 0.5 - plan.top)
                profile = _profile(plan.height, plan.width, self._count, place)
                file = stack.enter_context(rasterio.open(power, "w", dtype="float32", nodata=math.nan, **profile))
                masked = None
                if mask is not None:
                    profile = _profile(plan.height, width, 1, place)
                    masked = stack.enter_context(rasterio.open(mask, "w", dtype="uint8", nodata=UNKNOWN, **profile))
                for line in range(0, plan.height, LINES):
                    self._lines(line, min(line + LINES, plan.height), file, masked)
                    progress(min(LINES, plan.height - line))
        except (*RASTER_ERRORS, OSError) as error:
            raise ResourceError(
                f"The temporary file {power} can't be written: {error}.", "Check the free space."
            ) from error

    def _lines(self, first: int, last: int, file: Any, masked: Any) -> None:
        plan = self._plan
        values = self._image.read(plan.top + first, plan.top + last)[:, :, plan.left : plan.left + plan.width]
        if self._lattice is not None:
            area, mask = self._ground(self._lattice, first, last)
            if self._flatten:
                seen = area >= LEAST_AREA
                values = np.where(seen, values / np.where(seen, area, 1), np.float32(np.nan))
            if masked is not None:
                masked.write(mask, 1, window=Window(0, first, mask.shape[1], last - first))
        file.write(values, window=Window(0, first, plan.width, last - first))

    def _ground(self, lattice: Lattice, first: int, last: int) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return area and mask of lines of the part."""
        strips = [lattice.strip(*lines) for lines in _strips(self._plan.top + first, self._plan.top + last)]
        return np.concatenate([strip.area for strip in strips]), np.concatenate([strip.mask for strip in strips])


def _strips(first: int, last: int) -> Iterator[tuple[int, int]]:
    for line in range(first, last, STRIP):
        yield line, min(line + STRIP, last)


def _profile(height: int, width: int, count: int, place: Affine) -> dict[str, Any]:
    return {
        "driver": "GTiff", "count": count, "width": width, "height": height, "tiled": True, "blockxsize": TILE,
        "blockysize": TILE, "interleave": "band", "bigtiff": "if_safer", "sparse_ok": True,
        # Not georeferenced: sample and line numbers of the whole image, integers at the centres.
        "transform": place,
    }  # fmt: skip


def _check_space(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise ResourceError(
            f"{path.parent} has {free / 1e9:.1f} GB free; {needed / 1e9:.1f} GB are needed for a temporary file.",
            "Free some space, choose an output on another disk, or give an extent.",
        )
