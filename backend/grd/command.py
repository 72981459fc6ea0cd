"""Run the command `calibrate`."""

from __future__ import annotations

import time
from typing import Any

from backend import __version__
from backend.grd.pipeline import CalibrateRequest, calibrated_map
from backend.grd.product import open_product
from backend.output.names import claim_outputs
from backend.output.styles import aux_xml, date_now, ramp_qml
from backend.output.types import type_notes


def calibrate(request: CalibrateRequest) -> dict[str, Any]:
    """Write a map of backscatter, float32, a band for each polarisation, named by it; NaN for nodata.

    Returns:
        The result event.

    Raises:
        SarDinoError: Refused or cancelled; then no new output is left, and an existing one is unchanged.
    """
    began, cancel = time.monotonic(), request.cancel
    product = open_product(request.input)
    sources = [str(product.path), *filter(None, [request.dem])]
    with claim_outputs([request.output], sources, request.overwrite, cancel):
        request.reporter.start(
            version=__version__,
            command="calibrate",
            model="",
            device="cpu",
            input=request.input,
            outputs={"output": str(request.output)},
        )
        for note in type_notes([request.output]):
            request.reporter.log("info", note)
        with calibrated_map(request, product, product.polarisations) as (sink, _):
            sink.files.add_sidecar(".qml", ramp_qml(sink.thumbnail()))
            sink.files.add_sidecar(".aux.xml", aux_xml((), date_now()))
            with cancel.shielded():
                sink.commit()
    facts = {
        "outputs": {"output": str(request.output)},
        "device": "cpu",
        "seconds": round(time.monotonic() - began, 3),
        "model": "",
        "polarisations": list(product.polarisations),
    }
    request.reporter.result(facts)
    return facts
