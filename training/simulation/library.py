"""Real land-cover rasters as layouts: random windows, turned, scaled and warped onto 10 m pixels."""

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
    """The land-cover rasters of one folder, read once and kept in memory.

    Args:
        folder: Folder of single-band uint8 GeoTIFFs holding WorldCover codes, 0 where unknown.

    Raises:
        InputError: If the folder holds no such raster, or a raster has values that are not WorldCover codes.
    """

    def __init__(self, folder: Path) -> None:
        """Find the rasters; pixels are read on first use."""
        self._paths = {path.stem: path for path in sorted(folder.glob("*.tif"))}
        if not self._paths:
            raise InputError(
                f"No layout raster (*.tif) in {folder}.",
                "Give a folder of land-cover GeoTIFFs holding ESA WorldCover codes, or leave --layouts out.",
            )
        self._cache: dict[str, tuple[Labels, float]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the layouts (file names without suffix), sorted."""
        return tuple(self._paths)

    def _read(self, name: str) -> tuple[Labels, float]:
        """Codes uint8 [H, W] and pixel size in metres of one layout."""
        if name not in self._cache:
            with rasterio.open(self._paths[name]) as source:
                codes = source.read(1)
                size = abs(source.transform.a)
                if source.crs is not None and source.crs.is_geographic:
                    size *= _METRES_PER_DEGREE
            unknown = set(np.unique(codes).tolist()) - {lc.UNKNOWN, *lc.CODES}
            if codes.dtype != np.uint8 or unknown:
                raise InputError(
                    f"{self._paths[name].name} is no layout: it holds {codes.dtype} with values {sorted(unknown)[:5]}.",
                    "Recode it to ESA WorldCover codes (10, 20, ... 100; 0 unknown) in uint8.",
                )
            self._cache[name] = (codes, float(size))
        return self._cache[name]

    def sample(self, rng: np.random.Generator, name: str, shape: tuple[int, int]) -> Labels:
        """Cut a random window of one layout, at 10 m.

        The window is turned by any angle, mirrored, scaled by 0.7 to 1.6 (land cover is nearly self-similar) and its
        borders are displaced by a random field of about one source pixel, so that coarse rasters don't show steps.

        Args:
            rng: Generator.
            name: One of ``names``.
            shape: Rows and columns wanted.

        Returns:
            uint8 [H, W] of WorldCover codes; 0 where the layout is unknown (under a tenth, where one can be had).
        """
        codes, size = self._read(name)
        best: Labels = np.full(shape, lc.UNKNOWN, dtype=np.uint8)
        for _ in range(_ATTEMPTS):
            window = self._window(rng, codes, size, shape)
            known = window != lc.UNKNOWN
            if known.mean() > (best != lc.UNKNOWN).mean():
                best = window
            # Windows of one class teach what that class looks like without a neighbour, open sea above all, but there
            # are many: keep only some.
            single = np.bincount(window.ravel(), minlength=101).max() > 0.97 * window.size
            if known.mean() > 0.9 and (not single or rng.random() < 0.25):
                return window
        return best

    @staticmethod
    def _window(rng: np.random.Generator, codes: Labels, size: float, shape: tuple[int, int]) -> Labels:
        """One warped window of ``codes`` with pixels of ``size`` metres; outside the raster is unknown."""
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
