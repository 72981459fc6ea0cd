"""Measure the error of GDAL's default polynomial, and of a thin-plate spline, at the ground control points of a raster.

    python -m benchmarks.checks.control_points RASTER [RASTER ...]

RASTER has only ground control points, such as a measurement file of a Sentinel-1 GRD product.
"""

from __future__ import annotations

import argparse

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.transform import GCPTransformer
from rasterio.warp import transform

from backend.grd.map_plan import choose_crs


def misses(points: list[GroundControlPoint], crs: CRS, spline: bool) -> NDArray[np.float64]:
    """Return the metres between each ground control point and its position by the fit, [n]."""
    with GCPTransformer(points, tps=spline) as fit:
        xs, ys = fit.xy([p.row for p in points], [p.col for p in points], offset="ul")
    degrees = np.array([(p.x, p.y) for p in points])
    metric = choose_crs(np.array(transform(crs, CRS.from_epsg(4326), degrees[:, 0], degrees[:, 1])).T)
    found = np.array(transform(crs, metric, xs, ys))
    wanted = np.array(transform(crs, metric, degrees[:, 0], degrees[:, 1]))
    distances: NDArray[np.float64] = np.hypot(*(found - wanted))
    return distances


def main() -> None:
    """Print a line for each raster and kind of fit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("raster", nargs="+")
    for path in parser.parse_args().raster:
        with rasterio.open(path) as file:
            points, crs = file.gcps
        for name, spline in (("polynomial", False), ("spline", True)):
            found = misses(points, crs, spline)
            rms = float(np.sqrt(np.mean(found**2)))
            print(f"{path}: {len(points)} points, {name}: {rms:.1f} m root mean square, {found.max():.1f} m at most")


if __name__ == "__main__":
    main()
