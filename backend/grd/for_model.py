"""Calibrate a product to the input of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.core.cancel import Cancel
from backend.core.claims import SCRATCH
from backend.core.errors import InputError
from backend.core.events import Reporter
from backend.grd.patch import Place
from backend.grd.pipeline import CalibrateRequest, calibrated_map
from backend.grd.product import Product, open_product

POLARISATIONS = ("VV", "VH", "HH", "HV")


def polarisations_for(product: Product, card: ModelCard) -> Sequence[str]:
    """Return which polarisations of a product a model takes.

    Raises:
        InputError: One that the model needs is missing.
    """
    names = [band.name for band in card.bands]
    wanted = [name for name in POLARISATIONS if any(name in band.upper() for band in names)]
    present = [name for name in wanted if name in product.polarisations]
    if len(present) < len(wanted) and not (present and card.allows_missing_bands):
        raise InputError(
            f"{product.path} has the polarisations {', '.join(product.polarisations)}; the model wants "
            f"{', '.join(names)}.",
            "Give a product with these polarisations, or choose another model.",
        )
    return present or product.polarisations


@contextmanager
def calibrated(
    path: str, output: Path, card: ModelCard, extent: Sequence[float] | None, reporter: Reporter, cancel: Cancel
) -> Iterator[tuple[Path, Place]]:
    """Calibrate a product to a temporary raster of linear power in the folder of the output; remove it at the end.

    Around an extent as much is calibrated as the tiles of the whole product's map reach.

    Args:
        path: Product.
        output: Output that is made from the raster.
        card: Model card with the wanted polarisations, quantity and pixel size.
        extent: West, south, east and north in degrees; None for the whole product.
        reporter: Receives log and progress.
        cancel: Ends the run when set.

    Yields:
        The temporary raster, and where it lies in the map of the whole product.

    Raises:
        SarDinoError: Refused, for example for a missing polarisation, or cancelled.
    """
    product = open_product(path)
    present = polarisations_for(product, card)
    reporter.log(
        "info",
        f"The input is a Sentinel-1 product: it is first calibrated to {card.product}, on a grid of {card.gsd_m:g} m, "
        "without terrain correction.",
    )
    request = CalibrateRequest(
        input=path,
        output=output,
        quantity=card.product,
        pixel_size=card.gsd_m,
        extent=extent,
        around=card.tile + 2 * card.patch,
        reporter=reporter,
        cancel=cancel,
    )
    with calibrated_map(request, product, present, SCRATCH[1]) as (sink, plan):
        reporter.restart()
        yield sink.files.part, plan.place
