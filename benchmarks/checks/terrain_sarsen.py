"""Compare terrain correction with sarsen, an independent implementation, on a simulated product over a mountain.

    python -m benchmarks.checks.terrain_sarsen [FOLDER]

Needs `pip install sarsen` in an environment of its own (Python 3.11 or newer), whose interpreter runs this. Both get
the same elevation model, on the grid of the map. sarsen takes heights above the ellipsoid and removes no noise, so the
product has none. Digital numbers hold their own positions; the program prints how far these differ in samples and
lines.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.warp import transform
from rasterio.windows import Window

from backend.core.context import Context
from backend.grd.command import calibrate
from backend.grd.request import CalibrateRequest
from tests.support.make_safe import make_safe
from tests.support.mountain import mountain
from tests.support.safe.orbit import Imaged, seen, write_dem


def ours(product: Path, dem: Path, target: Path) -> np.ndarray:
    """Return sigma nought by this program at the pixels of the elevation model, float32 [rows, columns]."""
    calibrate(
        CalibrateRequest(str(product), target, "sigma0", dem=str(dem), dem_heights="ellipsoid", overwrite=True),
        Context(),
    )
    with rasterio.open(target) as file, rasterio.open(dem) as grid:
        left, top = (round(v) for v in ~file.transform * (grid.transform.c, grid.transform.f))
        window = Window(left, top, grid.width, grid.height)
        values: np.ndarray = file.read(1, window=window, boundless=True, fill_value=np.nan)
    return values


def sarsens(product: Path, dem: Path, target: Path) -> np.ndarray:
    """Return beta nought by sarsen there; all calibration tables of the product are equal."""
    import sarsen

    # By default its search ends within a metre of the zero-Doppler plane, which shifts the image by a tenth of a line.
    search = sarsen.geocoding.backward_geocode
    sarsen.geocoding.backward_geocode = functools.partial(search, zero_doppler_distance=1e-3)
    image = sarsen.Sentinel1SarProduct(str(product), measurement_group="IW/VV")
    sarsen.terrain_correction(image, dem_urlpath=str(dem), output_urlpath=str(target), interp_method="linear")
    with rasterio.open(target) as file:
        values: np.ndarray = file.read(1)
        # It writes rows from south to north.
        return values[::-1] if file.transform.e > 0 else values


def dem_on(path: Path, target: Path, geometry: Imaged) -> Path:
    """Write the heights of the mountain at the pixels of a raster."""
    with rasterio.open(path) as file:
        place, crs, height, width = file.transform, file.crs, file.height, file.width
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    degrees = transform(crs, "EPSG:4326", *place * (columns.ravel(), rows.ravel()))
    heights = mountain(geometry, *(np.array(v) for v in degrees)).reshape(height, width).astype(np.float32)
    return write_dem(target, heights, (place.c, place.f), place.a, crs)


def compare(folder: Path, geometry: Imaged) -> dict[str, float]:
    """Return the largest and the root mean square difference in samples and in lines."""
    found = {}
    positions = {"samples": lambda line, sample: 500 + sample, "lines": lambda line, sample: 500 + line}
    for name, numbers in positions.items():
        product = make_safe(folder / name, seen(geometry, numbers=numbers))
        calibrate(CalibrateRequest(str(product), folder / "grid.tif", "sigma0", overwrite=True), Context())
        dem = dem_on(folder / "grid.tif", folder / f"{name}-dem.tif", geometry)
        values = ours(product, dem, folder / f"{name}-ours.tif")
        other = sarsens(product, dem, folder / f"{name}-sarsen.tif")
        # Both are DN² / 500².
        apart = 500 * (np.sqrt(values) - np.sqrt(other))
        apart = apart[np.isfinite(apart)]
        found |= {f"{name}, pixels": apart.size, f"{name}, at most": float(np.abs(apart).max()),
                  f"{name}, rms": float(np.sqrt((apart.astype(float) ** 2).mean()))}  # fmt: skip
    return found


def main() -> None:
    """Print the differences."""
    with tempfile.TemporaryDirectory() as folder:
        for name, value in compare(Path(sys.argv[1] if len(sys.argv) > 1 else folder), Imaged()).items():
            print(f"{name}: {value:.5g}")


if __name__ == "__main__":
    main()
