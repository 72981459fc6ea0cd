"""Judge the values of an opened raster, and what its names and tags say about their origin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backend.card.model_card import Band, ModelCard
from backend.radiometry.checks import WARNING, Check
from backend.radiometry.judge import Told, judge
from backend.radiometry.units import Units
from backend.raster.sampling import sample_values
from backend.raster.source import RasterSource

QUANTITIES = {
    "gamma0": r"gamma[ _-]?(?:0|nought|naught|zero)|gam0|γ0|γ⁰",
    "sigma0": r"sigma[ _-]?(?:0|nought|naught|zero)|sig0|σ0|σ⁰",
    "beta0": r"beta[ _-]?(?:0|nought|naught|zero)|bet0|β0|β⁰",
}
NOT_CORRECTED = re.compile(
    r"is_terrain_corrected\W{1,40}(?:0|false)\b|SARDINO_TERRAIN_CORRECTION=none|ellipsoid[ _-]?correct", re.IGNORECASE
)


def judge_source(source: RasterSource, bands: Sequence[Band], units: Units, accept: bool) -> tuple[Units, list[Check]]:
    """Judge the values of a raster; from then on it is read without filling and in the order that was found.

    Args:
        source: Opened with the names of `bands`.
        bands: The card's bands that it has.
        units: Declared, or AUTO.
        accept: Whether implausible values are accepted.

    Returns:
        The unit, and what was found; `refuse` raises what is refused.

    Raises:
        InputError: The values fit no unit, or not the declared one; or no pixel is valid.
    """
    sample, valid = sample_values(source)
    kinds = [str(band["dtype"]) for band in source.describe_bands()]
    judged = judge(sample, valid, bands, Told(units, source.found_by, kinds, source.scaling, accept))
    source.read_as(judged.order, [(each.row, each.value) for each in judged.filling])
    return judged.units, list(judged.checks)


def product_checks(source: RasterSource, card: ModelCard) -> list[Check]:
    """Warn where names or tags tell of another quantity than the model's, or of no terrain correction."""
    texts, checks = source.texts(), []
    # Descriptions of the bands tell more of them than the file's name, and that more than tags.
    named = next(filter(None, map(_quantities, texts)), [])
    if named and card.product in QUANTITIES and card.product not in named:
        checks.append(
            Check(
                "quantity", f"Names or tags of the raster say {' and '.join(named)}", f"the model wants {card.product}",
                WARNING, "Expect wrong classes on slopes and at the edges of the swath; better give that product.",
            )
        )  # fmt: skip
    if source.by_control_points or NOT_CORRECTED.search(texts[-1]):
        hint = "Expect shifts and wrong classes in hills; calibrate with an elevation model, or take an RTC product."
        found = "The raster is not terrain-corrected, as far as its tags and positions tell"
        checks.append(
            Check("terrain correction", found, "the model wants terrain-corrected backscatter", WARNING, hint)
        )
    return checks


def _quantities(text: str) -> list[str]:
    return [name for name, pattern in QUANTITIES.items() if re.search(pattern, text, re.IGNORECASE)]
