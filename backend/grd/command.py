"""Run the command `calibrate`."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from backend import __version__
from backend.grd.pipeline import CalibrateRequest, written
from backend.grd.product import open_product
from backend.raster.output_names import check_output
from backend.raster.styles import aux_xml, ramp_qml


def calibrate(request: CalibrateRequest) -> dict[str, Any]:
    """Write a map of backscatter, float32, a band for each polarisation, named by it; NaN for nodata.

    Returns:
        The result event.

    Raises:
        SarDinoError: Refused or cancelled; then no new output is left, and an existing one is unchanged.
    """
    began, cancel = time.monotonic(), request.cancel
    product = open_product(request.input)
    check_output(request.output, str(product.path), request.overwrite)
    if request.dem is not None:
        check_output(request.output, request.dem, request.overwrite)
    request.reporter.start(
        version=__version__,
        command="calibrate",
        model="",
        device="cpu",
        input=request.input,
        outputs={"output": str(request.output)},
    )
    with written(request, product, product.polarisations, request.output) as sink:
        date = datetime.now(timezone.utc).isoformat(timespec="seconds")
        sink.add_sidecar(".qml", ramp_qml(sink.thumbnail()))
        sink.add_sidecar(".aux.xml", aux_xml((), {"SARDINO_DATE": date}))
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
