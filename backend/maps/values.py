"""Judge the values of an opened raster, and what its names and tags say about their origin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backend.card.model_card import Band, ModelCard
from backend.radiometry.checks import REFUSED, WARNING, Check
from backend.radiometry.judge import Told, judge
from backend.radiometry.ratio import ratio_row
from backend.radiometry.units import Units
from backend.raster.bands import POSITION
from backend.raster.sampling import sample_values
from backend.raster.source import RasterSource
from backend.stream.fill import get_ready

# Bands among which a ratio is looked for: composites hold VV, VH and their ratio in any order.
THREE = 3
# A pixel beyond the pole is a matter of rounding; metres are thousands.
MOST_LATITUDE = 91.0
# Degrees taken for metres make pixels of a tenth of a millimetre.
LEAST_METRES = 0.05
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
    ratio = _ratio_check(source)
    sample, valid = sample_values(source)
    if not valid.all():
        get_ready()
    kinds = [str(band["dtype"]) for band in source.describe_bands()]
    judged = judge(sample, valid, bands, Told(units, source.found_by, kinds, source.scaling, accept))
    source.read_as(judged.order, [(each.row, each.value) for each in judged.filling])
    return judged.units, [*ratio, *judged.checks]


def _ratio_check(source: RasterSource) -> list[Check]:
    """Refuse a ratio of polarisations that stands in the place of one, in a raster without names."""
    if source.found_by != POSITION or len(source.labels().texts) < THREE:
        return []
    with source.reopen() as more:
        more.bands = tuple(range(1, THREE + 1))
        row = ratio_row(*sample_values(more))
    if row is None or row + 1 not in source.bands:
        return []
    rest = " ".join(str(band) for band in range(1, THREE + 1) if band != row + 1)
    hint = f"Name the two polarisations with --bands, VV first, such as --bands {rest}; in QGIS choose Bands."
    return [Check("ratio", f"Band {row + 1} is the ratio of two others", "backscatter is wanted", REFUSED, hint)]


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
    return [*checks, *_place_checks(source)]


def _place_checks(source: RasterSource) -> list[Check]:
    """Refuse coordinates that contradict their coordinate system: the map would lie or be scaled wrongly."""
    grid, metres = source.grid, source.pixel_metres
    assign = "Assign the right coordinate system (in QGIS Raster > Projections > Assign Projection), and run again."
    west, south, east, north = grid.bounds()
    if grid.crs is not None and grid.crs.is_geographic and max(-south, north) > MOST_LATITUDE:
        found = f"The coordinates, {west:.6g} {south:.6g} to {east:.6g} {north:.6g}, are no degrees"
        return [Check("place", found, f"the coordinate system ({grid.crs}) has degrees", REFUSED, assign)]
    if metres is not None and max(metres) < LEAST_METRES:
        found = f"Pixels are {metres[0]:.3g} x {metres[1]:.3g} m by the coordinate system ({grid.crs})"
        hint = f"Mostly the coordinates are degrees, and the coordinate system is one of metres. {assign}"
        return [Check("pixel size", found, f"they must be {LEAST_METRES:g} m or larger", REFUSED, hint)]
    return []


def _quantities(text: str) -> list[str]:
    return [name for name, pattern in QUANTITIES.items() if re.search(pattern, text, re.IGNORECASE)]
