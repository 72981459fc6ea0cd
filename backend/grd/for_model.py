"""Products as the input of a model: calibrated on the way, as its card wants it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.core.cancel import Cancel
from backend.core.claims import SCRATCH
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.grd.pipeline import CalibrateRequest, written
from backend.grd.product import open_product

POLARISATIONS = ("VV", "VH", "HH", "HV")


@contextmanager
def calibrated(
    path: str, output: Path, card: ModelCard, extent: Sequence[float] | None, reporter: Reporter, cancel: Cancel
) -> Iterator[Path]:
    """A temporary raster of a product, in linear power, beside the output that is made of it; removed on the way out.

    Args:
        path: Product.
        output: What the raster is on the way to.
        card: Says which polarisations, which quantity and what pixel size.
        extent: Longitude and latitude: west, south, east, north; None for all.
        reporter: Told what happens.
        cancel: Ends the run when set.

    Raises:
        SarDinoError: Refused, such as for polarisations that the product lacks, or cancelled.
    """
    product, names = open_product(path), [band.name for band in card.bands]
    spoken = [name for name in POLARISATIONS if any(name in band.upper() for band in names)]
    there = [name for name in spoken if name in product.polarisations]
    if len(there) < len(spoken) and not (there and card.allows_missing_bands):
        raise InputError(
            f"{path} has the polarisations {', '.join(product.polarisations)}; the model wants {', '.join(names)}.",
            "Give a product with these polarisations, or take another model.",
        )
    reporter.log(
        "info",
        f"The input is a Sentinel-1 product: it is calibrated to {card.product} first, on a grid of {card.gsd_m:g} m, "
        "without terrain correction.",
    )
    request = CalibrateRequest(
        input=path,
        output=output,
        quantity=card.product,
        pixel_size=card.gsd_m,
        extent=extent,
        reporter=reporter,
        cancel=cancel,
    )
    with written(request, product, there or product.polarisations, SCRATCH[1]) as sink:
        reporter.restart()
        yield sink.files.part
