"""Calibrate a product in two passes: power in image geometry, in tiles on disk; then the map."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import rasterio
from affine import Affine
from rasterio.windows import Window

from backend import __version__
from backend.core.cancel import Cancel
from backend.core.claims import SCRATCH, scratch
from backend.core.errors import InputError, ResourceError
from backend.core.events import Reporter
from backend.grd.calibrated_image import CalibratedImage
from backend.grd.map_plan import MapPlan, plan_map
from backend.grd.product import Product
from backend.grd.resample import warp
from backend.grd.terrain.elevation import Elevation
from backend.grd.terrain.range_doppler import RangeDoppler
from backend.grd.terrain.relief import Terrain
from backend.output.sink import Layer, RasterSink
from backend.radiometry.convert import from_power
from backend.raster.blocks import LARGE_CACHE
from backend.raster.errors import RASTER_ERRORS
from backend.raster.source import gdal_environment

# Image lines read at once, and the side of the tiles of the intermediate raster.
LINES = 256
TILE = 256
# Work of resampling a map row, and of its overviews, in units of an image line; and of a row with terrain correction.
WARP_WORK, OVERVIEW_WORK = 4, 2
RELIEF_WORK = 5
# Points along each side of the map at which the coverage by the elevation model is checked.
MESH = 24


@dataclass
class CalibrateRequest:
    """A calibration as requested.

    Attributes:
        input: Product: folder, manifest.safe or zip.
        output: Raster to write.
        quantity: "gamma0" or "sigma0".
        units: "linear_power" or "db".
        pixel_size: In metres; None for the spacing of the product.
        extent: West, south, east and north in degrees; None for the whole product.
        around: Pixels around the extent that are calibrated too.
        dem: Elevation model for terrain correction; None for none.
        dem_heights: Reference of its heights: "geoid" or "ellipsoid".
        overwrite: Whether an existing output is replaced.
        reporter: Receives log and progress.
        cancel: Ends the run when set.
    """

    input: str
    output: Path
    quantity: str = "gamma0"
    units: str = "linear_power"
    pixel_size: float | None = None
    extent: Sequence[float] | None = None
    around: int = 0
    dem: str | None = None
    dem_heights: str = "geoid"
    overwrite: bool = False
    reporter: Reporter = field(default_factory=Reporter)
    cancel: Cancel = field(default_factory=Cancel)


@contextmanager
def calibrated_map(
    request: CalibrateRequest, product: Product, polarisations: Sequence[str], suffix: str = ""
) -> Iterator[tuple[RasterSink, MapPlan]]:
    """Yield a sink with the whole map, closed and checked, and its plan.

    The sink is discarded at the end unless it was committed.
    With a suffix, one of SCRATCH, the map is a temporary file of the output.
    """
    _check(request)
    cancel = request.cancel
    # A temporary raster is read once and needs no overviews.
    overviews = not suffix
    with ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        plan = _plan(request, product, stack)
        progress = _Progress(request, plan, overviews)
        with scratch(request.output, SCRATCH[0], cancel) as power:
            with CalibratedImage(product, request.quantity, polarisations) as image:
                for level, message in image.notes:
                    request.reporter.log(level, message)
                _store(image, plan, power, len(polarisations), progress)
            tags = _tags(request, product, image.denoised)
            layer = Layer("float32", math.nan, list(polarisations), tags=tags)
            sink = RasterSink(request.output, plan.grid, layer, suffix)
            stack.callback(sink.discard)
            cancel.on_deadline(sink.files.remove_parts)
            for rows in warp(power, plan):
                sink.write(rows if request.units == "linear_power" else from_power(rows))
                progress(rows.shape[1] * progress.warping)
        sink.finish(overviews)
        if overviews:
            progress(plan.grid.height * OVERVIEW_WORK)
        yield sink, plan


def _plan(request: CalibrateRequest, product: Product, stack: ExitStack) -> MapPlan:
    """Plan the map. The elevation model is closed with the stack."""
    channel = product.channels[0]
    pixel_size = request.pixel_size or _round(channel.spacing)
    if request.dem is None:
        return plan_map(channel, pixel_size, request.extent, around=request.around)
    geometry = RangeDoppler(channel)
    request.reporter.log(
        "info",
        "Terrain correction: orbit and geolocation grid of the annotation agree within "
        f"{geometry.agreement:.1f} m (median).",
    )
    spacing = pixel_size / max(1, round(pixel_size / channel.spacing))
    elevation = stack.enter_context(Elevation(request.dem, spacing))
    terrain = Terrain(geometry, elevation, geoid=request.dem_heights == "geoid")
    plan = plan_map(channel, pixel_size, request.extent, terrain, request.around)
    missing = terrain.missing_share(plan.grid.crs, plan.mesh(MESH))
    if missing:
        request.reporter.log(
            "warning",
            f"The elevation model has no heights for about {max(missing, 0.01):.0%} of the map, which is nodata there.",
        )
    return plan


def _store(image: CalibratedImage, plan: MapPlan, path: Path, count: int, progress: Callable[[int], None]) -> None:
    """Write the part of the image that the map needs as power, in tiles.

    Measurement files are stored line by line, and a map row crosses thousands of lines.

    Raises:
        ResourceError: The disk has too little free space.
    """
    needed = 4 * count * plan.height * plan.width
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise ResourceError(
            f"{path.parent} has {free / 1e9:.1f} GB free; {needed / 1e9:.1f} GB are needed for a temporary file.",
            "Free some space, choose an output on another disk, or give an extent.",
        )
    profile = {
        "driver": "GTiff", "dtype": "float32", "nodata": math.nan, "count": count, "width": plan.width,
        "height": plan.height, "tiled": True, "blockxsize": TILE, "blockysize": TILE, "interleave": "band",
        "bigtiff": "if_safer", "sparse_ok": True,
        # Not georeferenced: sample and line numbers of the whole image, integers at the centres.
        "transform": Affine(1, 0, plan.left - 0.5, 0, -1, 0.5 - plan.top),
    }  # fmt: skip
    columns = slice(plan.left, plan.left + plan.width)
    try:
        with rasterio.open(path, "w", **profile) as file:
            for line in range(0, plan.height, LINES):
                lines = min(LINES, plan.height - line)
                values = image.read(plan.top + line, plan.top + line + lines)[:, :, columns]
                file.write(values, window=Window(0, line, plan.width, lines))
                progress(lines)
    except (*RASTER_ERRORS, OSError) as error:
        raise ResourceError(f"The temporary file {path} can't be written: {error}.", "Check the free space.") from error


class _Progress:
    """Count the work of both passes for the reporter, and check for a cancel."""

    def __init__(self, request: CalibrateRequest, plan: MapPlan, overviews: bool) -> None:
        self._request, self._done = request, 0
        self.warping = WARP_WORK if plan.terrain is None else RELIEF_WORK
        self._total = plan.height + plan.grid.height * (self.warping + overviews * OVERVIEW_WORK)

    def __call__(self, work: int) -> None:
        self._request.cancel.check()
        self._done += work
        self._request.reporter.progress(self._done, self._total)


def _check(request: CalibrateRequest) -> None:
    size = request.pixel_size
    if size is not None and not 1 <= size <= 200:
        raise InputError(f"The pixel size is {size:g} m; 1 to 200 m are allowed.", "Give 10 for a product of mode IW.")


def _round(spacing: float) -> float:
    """Round a spacing to a tenth of a metre, and to 1 m or more."""
    return max(1.0, round(spacing, 1))


def _tags(request: CalibrateRequest, product: Product, denoised: bool) -> dict[str, str]:
    what = f"{request.quantity} of {product.name}"
    terrain = "none"
    if request.dem is not None:
        terrain = f"range-Doppler with {Path(request.dem).name}, heights above the {request.dem_heights}"
    return {
        "SARDINO_VERSION": __version__,
        "SARDINO_INPUT": product.name,
        "SARDINO_OUTPUT": "calibrate",
        "SARDINO_QUANTITY": request.quantity,
        "SARDINO_UNITS": request.units,
        "SARDINO_THERMAL_NOISE": "removed" if denoised else "not removed",
        "SARDINO_ACQUIRED": product.start,
        "SARDINO_TERRAIN_CORRECTION": terrain,
        "TIFFTAG_SOFTWARE": f"SAR Land Cover (DINO) {__version__}",
        "TIFFTAG_IMAGEDESCRIPTION": f"{what}, {request.units}, terrain correction: {terrain}",
    }
