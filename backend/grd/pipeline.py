"""Calibrate a product in two passes: power in image geometry, in tiles on disk; then the map."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend import PROGRAM, __version__
from backend.core.claims import SCRATCH, scratch
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.grd.calibrated_image import CalibratedImage
from backend.grd.map_plan import MapPlan, plan_map
from backend.grd.product import Product
from backend.grd.radar_file import RadarFile
from backend.grd.request import CalibrateRequest
from backend.grd.resample import warp
from backend.grd.terrain.elevation import Elevation
from backend.grd.terrain.lattice import UNKNOWN, Lattice
from backend.grd.terrain.layers import INCIDENCE_LAYER, MASK_LAYER, MaskOfMap, incidence
from backend.grd.terrain.precise_orbit import precise_orbit
from backend.grd.terrain.range_doppler import RangeDoppler
from backend.grd.terrain.relief import Terrain
from backend.output.raster_set import open_sink
from backend.output.sink import Layer, RasterSink
from backend.radiometry.convert import from_power
from backend.raster.blocks import LARGE_CACHE
from backend.raster.source import gdal_environment

# Work of resampling a map row, and of its overviews, in units of an image line; and of a row with terrain correction.
WARP_WORK, OVERVIEW_WORK = 4, 2
RELIEF_WORK = 5
# Work of the ground under an image line, and of the angles of a map row.
LATTICE_WORK, LAYER_WORK = 4, 3
# Points along each side of the map at which the coverage by the elevation model is checked.
MESH = 24


@dataclass(frozen=True)
class Maps:
    """Hold the results of a calibration, closed and checked.

    Attributes:
        sink: Backscatter.
        plan: Its plan.
        layers: Further sinks by role, "incidence" and "mask".
    """

    sink: RasterSink
    plan: MapPlan
    layers: dict[str, RasterSink]


@contextmanager
def calibrated_map(
    request: CalibrateRequest, product: Product, polarisations: Sequence[str], context: Context, suffix: str = ""
) -> Iterator[Maps]:
    """Yield sinks with the whole map and the layers that are wanted, closed and checked.

    They are discarded at the end unless they were committed.
    With a suffix, one of SCRATCH, the map is a temporary file of the output.
    """
    _check(request)
    cancel = context.cancel
    # A temporary raster is read once and needs no overviews.
    overviews = not suffix
    with ExitStack() as stack:
        stack.enter_context(gdal_environment(LARGE_CACHE))
        plan = _plan(request, product, context.reporter, stack)
        lattice = Lattice(plan.terrain, plan) if plan.terrain and (request.flatten or _masked(request)) else None
        progress = _Progress(request, plan, context, overviews, lattice is not None)
        with ExitStack() as passes:
            power = passes.enter_context(scratch(request.output, SCRATCH[0], cancel))
            mask = passes.enter_context(scratch(request.output, SCRATCH[2], cancel)) if _masked(request) else None
            quantity = "beta0" if request.flatten else request.quantity
            with CalibratedImage(product, quantity, polarisations) as image:
                for level, message in image.notes:
                    context.reporter.log(level, message)
                radar = RadarFile(plan, image, len(polarisations), lattice, request.flatten)
                radar.write(power, mask, progress.lines)
            layers = _layers(polarisations, _tags(request, product, image.denoised))
            sinks = {
                role: open_sink(path, plan.grid, layers[role], stack, cancel, suffix if role == "output" else "")
                for role, path in request.outputs.items()
            }
            looked_up = MaskOfMap(mask, lattice, plan) if mask is not None and lattice is not None else None
            shown = _warp(request, power, plan, looked_up, sinks, progress)
            if request.mask_nodata and not shown:
                context.reporter.log("warning", "No pixel of the map is left outside layover and shadow.")
        for sink in sinks.values():
            sink.finish(overviews)
        if overviews:
            progress(plan.grid.height * OVERVIEW_WORK)
        yield Maps(sinks.pop("output"), plan, sinks)


def _masked(request: CalibrateRequest) -> bool:
    return request.mask is not None or request.mask_nodata


def _layers(polarisations: Sequence[str], tags: dict[str, str]) -> dict[str, Layer]:
    return {
        "output": Layer("float32", math.nan, list(polarisations), tags=tags),
        "incidence": replace(INCIDENCE_LAYER, tags={**tags, "SARDINO_OUTPUT": "incidence"}),
        "mask": replace(MASK_LAYER, tags={**tags, **MASK_LAYER.tags, "SARDINO_OUTPUT": "mask"}),
    }


def _warp(
    request: CalibrateRequest, power: Path, plan: MapPlan, mask: MaskOfMap | None, sinks: dict[str, RasterSink],
    progress: _Progress,
) -> bool:  # fmt: skip
    """Write the rows of the map and of its layers; return whether the map has data."""
    top, shown = 0, False
    for rows in warp(power, plan):
        height = rows.shape[1]
        if mask is not None:
            seen = mask.rows(top, height)
            hidden = (seen != UNKNOWN) & (seen > 0)
            # Both are nodata: where there is no image, and where there are no heights.
            seen[~np.isfinite(rows).any(axis=0) & ~hidden] = UNKNOWN
            if request.mask_nodata:
                rows[:, hidden] = np.nan
            if "mask" in sinks:
                sinks["mask"].write(seen[None])
        if "incidence" in sinks and plan.terrain is not None:
            sinks["incidence"].write(incidence(plan, plan.terrain, top, height)[None])
        shown = shown or bool(np.isfinite(rows).any())
        sinks["output"].write(rows if request.units == "linear_power" else from_power(rows))
        progress(height * progress.warping)
        top += height
    return shown


def _plan(request: CalibrateRequest, product: Product, reporter: Reporter, stack: ExitStack) -> MapPlan:
    """Plan the map. The elevation model is closed with the stack."""
    channel = product.channels[0]
    pixel_size = request.pixel_size or _round(channel.spacing)
    if request.dem is None:
        return plan_map(channel, pixel_size, request.extent, around=request.around)
    geometry = RangeDoppler(channel, precise_orbit(request.orbit, product) if request.orbit else None)
    name = f"orbit of {Path(request.orbit).name}" if request.orbit else "orbit of the product"
    reporter.log(
        "info",
        f"Terrain correction: {name} and geolocation grid of the annotation agree within {geometry.agreement:.1f} m "
        "(median).",
    )
    spacing = pixel_size / max(1, round(pixel_size / channel.spacing))
    elevation = stack.enter_context(Elevation(request.dem, spacing))
    terrain = Terrain(geometry, elevation, geoid=request.dem_heights == "geoid")
    plan = plan_map(channel, pixel_size, request.extent, terrain, request.around)
    missing = terrain.missing_share(plan.grid.crs, plan.mesh(MESH))
    if missing:
        reporter.log(
            "warning",
            f"The elevation model has no heights for about {max(missing, 0.01):.0%} of the map, which is nodata there.",
        )
    return plan


class _Progress:
    """Count the work of both passes for the reporter, and check for a cancel."""

    def __init__(
        self, request: CalibrateRequest, plan: MapPlan, context: Context, overviews: bool, lattice: bool
    ) -> None:
        self._context, self._done = context, 0
        self.warping = WARP_WORK if plan.terrain is None else RELIEF_WORK
        self.warping += LAYER_WORK * (request.incidence is not None)
        self._line = 1 + LATTICE_WORK * lattice
        self._total = plan.height * self._line + plan.grid.height * (self.warping + overviews * OVERVIEW_WORK)

    def lines(self, count: int) -> None:
        """Add the work of image lines."""
        self(count * self._line)

    def __call__(self, work: int) -> None:
        self._context.cancel.check()
        self._done += work
        self._context.reporter.progress(self._done, self._total)


def _check(request: CalibrateRequest) -> None:
    size = request.pixel_size
    if size is not None and not 1 <= size <= 200:
        raise InputError(f"The pixel size is {size:g} m; 1 to 200 m are allowed.", "Give 10 for a product of mode IW.")
    wanting = [name for name in ("orbit", "flatten", "mask_nodata", "incidence", "mask") if getattr(request, name)]
    if wanting and request.dem is None:
        raise InputError(
            f"{' and '.join(wanting)} can't be computed without an elevation model.",
            "Give one with --dem, or leave that out.",
        )
    if request.flatten and request.quantity != "gamma0":
        raise InputError(
            f"Terrain flattening gives gamma0; {request.quantity} is wanted.", "Choose gamma0, or leave flattening out."
        )


def _round(spacing: float) -> float:
    """Round a spacing to a tenth of a metre, and to 1 m or more."""
    return max(1.0, round(spacing, 1))


def _tags(request: CalibrateRequest, product: Product, denoised: bool) -> dict[str, str]:
    what = f"{request.quantity} of {product.name}"
    terrain = "none"
    if request.dem is not None:
        terrain = f"range-Doppler with {Path(request.dem).name}, heights above the {request.dem_heights}"
    if request.orbit is not None:
        terrain += f", orbit of {Path(request.orbit).name}"
    flattened = "area of the illuminated ground (Small 2011)" if request.flatten else "none"
    return {
        "SARDINO_VERSION": __version__,
        "SARDINO_INPUT": product.name,
        "SARDINO_OUTPUT": "calibrate",
        "SARDINO_QUANTITY": request.quantity,
        "SARDINO_UNITS": request.units,
        "SARDINO_THERMAL_NOISE": "removed" if denoised else "not removed",
        "SARDINO_ACQUIRED": product.start,
        "SARDINO_TERRAIN_CORRECTION": terrain,
        "SARDINO_TERRAIN_FLATTENING": flattened,
        **({"SARDINO_LAYOVER_SHADOW": "nodata"} if request.mask_nodata else {}),
        "TIFFTAG_SOFTWARE": PROGRAM,
        "TIFFTAG_IMAGEDESCRIPTION": f"{what}, {request.units}, terrain correction: {terrain}",
    }
