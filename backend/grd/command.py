"""Run the command `calibrate`."""

from __future__ import annotations

from typing import Any

from backend.core.context import Context
from backend.core.run_events import RunEvents
from backend.grd.pipeline import calibrated_map
from backend.grd.product import open_product
from backend.grd.request import CalibrateRequest
from backend.grd.terrain.layers import CLASSES
from backend.output.names import claim_outputs
from backend.output.raster_set import add_style
from backend.output.styles import paletted_qml, ramp_qml
from backend.output.transaction import place_together
from backend.output.types import type_notes


def calibrate(request: CalibrateRequest, context: Context) -> dict[str, Any]:
    """Write a map of backscatter, float32, a band for each polarisation, named by it; NaN for nodata.

    Local incidence angles, and layover and shadow, are further rasters of the same grid.

    Returns:
        The result event.

    Raises:
        SarDinoError: Refused or cancelled; then no new output is left, and an existing one is unchanged.
    """
    events = RunEvents(context.reporter, "calibrate", request.input, request.outputs)
    product = open_product(request.input)
    sources = [str(product.path), *filter(None, [request.dem, request.orbit])]
    with claim_outputs(list(request.outputs.values()), sources, request.overwrite, context.cancel):
        events.start()
        for note in type_notes(list(request.outputs.values())):
            context.reporter.log("info", note)
        with calibrated_map(request, product, product.polarisations, context) as maps:
            for role, sink in {"output": maps.sink, **maps.layers}.items():
                style = paletted_qml(CLASSES) if role == "mask" else ramp_qml(sink.thumbnail())
                add_style(sink, style, CLASSES if role == "mask" else ())
            with context.cancel.shielded():
                place_together([sink.files for sink in (*maps.layers.values(), maps.sink)])
    return events.result(polarisations=list(product.polarisations))
