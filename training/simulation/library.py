"""Use real land-cover rasters as layouts: random windows, rotated, scaled and warped to 10 m pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio

from backend.card import worldcover as lc
from backend.core.errors import InputError
from training.simulation.fields import coordinates, gaussian_field
from training.simulation.labels import Labels

PIXEL_M = 10.0
_METRES_PER_DEGREE = 111_320.0
_ATTEMPTS = 12


class LayoutLibrary:
    """Keep the land-cover rasters of a folder in memory; each is read at its first use.

    Args:
        folder: Folder of single-band uint8 GeoTIFFs of WorldCover codes, 0 where unknown.

    Raises:
        InputError: The folder has no such raster, or a raster has values that are not WorldCover codes.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = {path.stem: path for path in sorted(folder.glob("*.tif"))}
        if not self._paths:
            raise InputError(
                f"No layout raster (*.tif) in {folder}.",
                "Give a folder of GeoTIFFs with ESA WorldCover codes, or leave out --layouts.",
            )
        self._cache: dict[str, tuple[Labels, float]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the sorted names of the layouts (file names without suffix)."""
        return tuple(self._paths)

    def _read(self, name: str) -> tuple[Labels, float]:
        """Return codes, uint8 [H, W], and pixel size in metres of a layout."""
        if name not in self._cache:
            with rasterio.open(self._paths[name]) as source:
                codes = source.read(1)
                size = abs(source.transform.a)
                if source.crs is not None and source.crs.is_geographic:
                    size *= _METRES_PER_DEGREE
            unknown = set(np.unique(codes).tolist()) - {lc.UNKNOWN, *lc.CODES}
            if codes.dtype != np.uint8 or unknown:
                raise InputError(
                    f"{self._paths[name].name} is not a layout: it is {codes.dtype} with values {sorted(unknown)[:5]}.",
                    "Recode it to ESA WorldCover codes (10, 20, ... 100; 0 unknown) in uint8.",
                )
            self._cache[name] = (codes, float(size))
        return self._cache[name]

    def sample(self, rng: np.random.Generator, name: str, shape: tuple[int, int]) -> Labels:
        """Cut a random window of a layout, at 10 m.

        The window is rotated by any angle, mirrored and scaled by 0.7 to 1.6 (land cover is nearly self-similar). Its
        borders are displaced by a random field of about one source pixel, so that coarse rasters don't show steps.

        Args:
            rng: Generator.
            name: One of ``names``.
            shape: Rows and columns wanted.

        Returns:
            uint8 [H, W] of WorldCover codes; 0 where unknown (less than 10 %, if such a window is found).
        """
        codes, size = self._read(name)
        best: Labels = np.full(shape, lc.UNKNOWN, dtype=np.uint8)
        for _ in range(_ATTEMPTS):
            window = self._window(rng, codes, size, shape)
            known = window != lc.UNKNOWN
            if known.mean() > (best != lc.UNKNOWN).mean():
                best = window
            # Windows of a single class, such as open sea, are useful but frequent: keep only some.
            single = np.bincount(window.ravel(), minlength=101).max() > 0.97 * window.size
            if known.mean() > 0.9 and (not single or rng.random() < 0.25):
                return window
        return best

    @staticmethod
    def _window(rng: np.random.Generator, codes: Labels, size: float, shape: tuple[int, int]) -> Labels:
        """Warp one window of ``codes``, whose pixels have ``size`` metres; outside the raster it is unknown."""
        step = PIXEL_M / size * float(np.exp(rng.uniform(np.log(0.7), np.log(1.6))))
        rows, columns = coordinates(shape)
        shift = max(0.5, 0.45 / step)
        rows = rows - shape[0] / 2 + shift * gaussian_field(rng, shape, max(1.2, 0.7 / step), 3.5)
        columns = columns - shape[1] / 2 + shift * gaussian_field(rng, shape, max(1.2, 0.7 / step), 3.5)
        angle = rng.uniform(0, 2 * np.pi)
        mirror = rng.choice([-1.0, 1.0])
        reach = 0.5 * float(np.hypot(*shape)) * step
        centre = [rng.uniform(min(reach, n / 2), max(n - reach, n / 2)) for n in codes.shape]
        y = np.floor(centre[0] + step * (np.cos(angle) * rows + np.sin(angle) * columns * mirror)).astype(np.int64)
        x = np.floor(centre[1] + step * (-np.sin(angle) * rows + np.cos(angle) * columns * mirror)).astype(np.int64)
        inside = (y >= 0) & (x >= 0) & (y < codes.shape[0]) & (x < codes.shape[1])
        window = np.zeros(shape, np.uint8)
        window[inside] = codes[y[inside], x[inside]]
        return window
