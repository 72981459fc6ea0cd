"""Calibrate the Sentinel-1 products among the inputs of a series to temporary rasters."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rasterio.warp import transform_bounds

from backend.core.claims import SCRATCH
from backend.core.context import Context
from backend.grd.container import is_product, refuse_part
from backend.grd.pipeline import calibrated_map
from backend.grd.product import open_product
from backend.grd.request import CalibrateRequest
from backend.raster.grid import DEGREES, Grid
from backend.raster.source import RasterSource

# Degrees around an extent that are calibrated too: what warping needs at its edge.
AROUND = 0.005


def as_rasters(
    files: Sequence[str], output: Path, extent: Sequence[float] | None, stack: ExitStack, context: Context
) -> tuple[list[str], dict[str, str]]:
    """Return the files, each product calibrated to gamma0 in linear power next to the output until the stack ends.

    Args:
        files: Rasters and products.
        output: Output that is made from them.
        extent: In the coordinates of the first file, of a product longitude and latitude; None for all.
        stack: Removes the temporary rasters.
        context: Receives log and progress; ends the run.

    Returns:
        Files, and the name of the product of each that is temporary.

    Raises:
        SarDinoError: A product can't be used, or the run was cancelled.
    """
    for file in files:
        refuse_part(file)
    products = [file for file in files if is_product(file)]
    if not products:
        return list(files), {}
    degrees = None if extent is None else _in_degrees(extent, files[0])
    made: dict[str, Path] = {}
    titles: dict[str, str] = {}
    for number, file in enumerate(products, 1):
        product = open_product(file)
        context.reporter.log("info", f"Calibrating product {number} of {len(products)}, {product.name}, to gamma0.")
        request = CalibrateRequest(file, output, extent=degrees)
        maps = stack.enter_context(calibrated_map(request, product, product.polarisations, context, SCRATCH[1]))
        made[file] = maps.sink.files.part
        titles[str(maps.sink.files.part)] = product.name
        context.reporter.restart()
    return [str(made.get(file, file)) for file in files], titles


def _in_degrees(extent: Sequence[float], first: str) -> tuple[float, float, float, float]:
    """Return west, south, east and north of an extent, a little widened."""
    west, south, east, north = extent
    if not is_product(first):
        with RasterSource(first) as source:
            grid: Grid = source.grid
        if grid.crs is not None:
            west, south, east, north = transform_bounds(grid.crs, DEGREES, *extent)
    return west - AROUND, south - AROUND, east + AROUND, north + AROUND
