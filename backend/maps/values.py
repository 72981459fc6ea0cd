"""Judge the origin of an opened raster by names, tags and coordinates."""

from __future__ import annotations

import re

from backend.card.model_card import ModelCard
from backend.radiometry.checks import REFUSED, WARNING, Check
from backend.raster.source import RasterSource

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


def product_checks(source: RasterSource, card: ModelCard) -> list[Check]:
    """Warn where names or tags name another quantity than the model's, or of no terrain correction."""
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
        found = "The raster is not terrain-corrected, by its tags or positions"
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
