"""Calibrate a product to the input of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.core.claims import SCRATCH
from backend.core.context import Context
from backend.core.errors import InputError
from backend.grd.patch import Place
from backend.grd.pipeline import calibrated_map
from backend.grd.product import Product, open_product
from backend.grd.request import CalibrateRequest, Slopes

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
    path: str, output: Path, card: ModelCard, extent: Sequence[float] | None, slopes: Slopes, context: Context
) -> Iterator[tuple[Path, Place]]:
    """Calibrate a product to a temporary raster of linear power in the folder of the output; remove it at the end.

    Around an extent as much is calibrated as the tiles of the whole product's map reach.

    Args:
        path: Product.
        output: Output that is made from the raster.
        card: Model card with the wanted polarisations, quantity and pixel size.
        extent: West, south, east and north in degrees; None for the whole product.
        slopes: How the terrain is taken into account.
        context: Its reporter receives log and progress; its cancel ends the run.

    Yields:
        The temporary raster, and where it lies in the map of the whole product.

    Raises:
        SarDinoError: Refused, for example for a missing polarisation, or cancelled.
    """
    product = open_product(path)
    present = polarisations_for(product, card)
    terrain = "without terrain correction"
    if slopes.dem:
        terrain = "with terrain correction and flattening" if slopes.flatten else "with terrain correction"
    context.reporter.log(
        "info",
        f"The input is a Sentinel-1 product: it is first calibrated to {card.product}, on a grid of {card.gsd_m:g} m, "
        f"{terrain}.",
    )
    request = CalibrateRequest(
        input=path,
        output=output,
        quantity=card.product,
        pixel_size=card.gsd_m,
        extent=extent,
        around=card.tile + 2 * card.patch,
        **asdict(slopes),
    )
    with calibrated_map(request, product, present, context, SCRATCH[1]) as maps:
        context.reporter.restart()
        yield maps.sink.files.part, maps.plan.place
