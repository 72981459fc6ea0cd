"""Compare terrain flattening with sarsen, an independent implementation, on simulated mountains.

    python -m benchmarks.checks.flattening_sarsen

Needs `pip install sarsen` in an environment of its own (Python 3.11 or newer), whose interpreter runs this. Both get
the same elevation model, of 2.5 m: sarsen adds up the areas of its pixels, and needs several for each sample. Beta
nought is 1 everywhere, so the result is that of the terrain alone. Lines are as far apart on the ground as the
annotation says, which sarsen takes for granted. The program prints the difference in dB outside layover and shadow, of
means over 100 m: sarsen takes the area of the nearest cell of 10 m in slant range and along.
"""

from __future__ import annotations

import functools
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

# Metres between heights, and of the map's pixels.
STEP, PIXEL = 2.5, 10.0
# Pixels of the map over which both are averaged.
BLOCK = 10
# Seconds between lines that are 10 m apart on the ground.
INTERVAL = 1.4777e-3
# Blocks at the edge that aren't compared.
EDGE = 2
PEAKS = (0.0, 600.0, 1200.0)


def flattened(product: Path, dem: Path, folder: Path) -> tuple[np.ndarray, np.ndarray, rasterio.Affine]:
    """Return gamma nought by this program, the mask of layover and shadow, and the place of both."""
    asked = CalibrateRequest(
        str(product), folder / "ours.tif", dem=str(dem), dem_heights="ellipsoid", flatten=True, pixel_size=PIXEL,
        mask=folder / "mask.tif", overwrite=True,
    )  # fmt: skip
    calibrate(asked, Context())
    with rasterio.open(folder / "ours.tif") as file, rasterio.open(folder / "mask.tif") as mask:
        return file.read(1), mask.read(1), file.transform


def sarsens(product: Path, dem: Path, target: Path) -> tuple[np.ndarray, rasterio.Affine]:
    """Return gamma nought by sarsen at the pixels of the elevation model, with rows from north to south."""
    import sarsen

    search = sarsen.geocoding.backward_geocode
    sarsen.geocoding.backward_geocode = functools.partial(search, zero_doppler_distance=1e-3)
    image = sarsen.Sentinel1SarProduct(str(product), measurement_group="IW/VV")
    sarsen.terrain_correction(
        image, dem_urlpath=str(dem), output_urlpath=str(target), correct_radiometry="gamma_bilinear",
        interp_method="linear", grouping_area_factor=(1.0, 1.0), chunks=8192, radiometry_chunks=8192,
    )  # fmt: skip
    sarsen.geocoding.backward_geocode = search
    with rasterio.open(target) as file:
        values: np.ndarray = file.read(1)
        if file.transform.e > 0:
            return values[::-1], file.transform * rasterio.Affine(1, 0, 0, 0, -1, file.height)
        return values, file.transform


def dem_around(grid: Path, target: Path, geometry: Imaged, peak: float) -> Path:
    """Write heights every STEP metres over a raster."""
    with rasterio.open(grid) as file:
        place, crs = file.transform, file.crs
        width, height = (round(count * PIXEL / STEP) for count in (file.width, file.height))
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    fine = rasterio.Affine(STEP, 0, place.c, 0, -STEP, place.f)
    degrees = transform(crs, "EPSG:4326", *fine * (columns.ravel(), rows.ravel()))
    heights = mountain(geometry, *(np.array(v) for v in degrees), peak).reshape(height, width).astype(np.float32)
    return write_dem(target, heights, (place.c, place.f), STEP, crs)


def means(values: np.ndarray, size: int) -> np.ndarray:
    """Return means over blocks; NaN where one of their values is."""
    rows, columns = (length // size for length in values.shape)
    found: np.ndarray = values[: rows * size, : columns * size].reshape(rows, size, columns, size).mean(axis=(1, 3))
    return found


def compare(folder: Path, geometry: Imaged, peak: float) -> dict[str, float]:
    """Return the largest, the mean and the root mean square difference in dB, ours less sarsen's."""
    product = make_safe(folder, seen(geometry, numbers=lambda line, sample: np.full(line.shape, 500.0)))
    calibrate(CalibrateRequest(str(product), folder / "grid.tif", pixel_size=PIXEL, overwrite=True), Context())
    dem = dem_around(folder / "grid.tif", folder / "dem.tif", geometry, peak)
    own, mask, place = flattened(product, dem, folder)
    other, beside = sarsens(product, dem, folder / "sarsen.tif")
    left, top = (round(v) for v in ~place * (beside.c, beside.f))
    inverse = means(1 / other, round(PIXEL / STEP))
    window = Window(left, top, inverse.shape[1], inverse.shape[0]).toslices()
    own, mask = own[window], mask[window]
    inverse = inverse[: own.shape[0], : own.shape[1]]
    own = np.where(mask == 0, own, np.nan)
    apart = 10 * np.log10(means(inverse, BLOCK) / means(1 / own, BLOCK))
    # sarsen has part of the ground at the edges of the image and of the elevation model.
    inner = np.isfinite(apart)
    for axis in (0, 1):
        for step in range(-EDGE, EDGE + 1):
            inner &= np.roll(np.isfinite(apart), step, axis)
    apart = apart[inner]
    return {
        "blocks": apart.size, "at most": float(np.abs(apart).max()), "mean": float(apart.mean()),
        "rms": float(np.sqrt((apart**2).mean())),
        **{f"{share} % within": float(np.percentile(np.abs(apart), share)) for share in (95, 99)},
    }  # fmt: skip


def main() -> None:
    """Print the differences."""
    for peak in PEAKS:
        with tempfile.TemporaryDirectory() as folder:
            found = compare(Path(folder), Imaged(shape=(300, 600), interval=INTERVAL), peak)
            print(f"peak of {peak:g} m: " + ", ".join(f"{name} {value:.4g}" for name, value in found.items()))


if __name__ == "__main__":
    main()
