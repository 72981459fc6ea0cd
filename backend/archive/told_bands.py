"""Find the bands of a scene by the polarisations that its plan states: keys of STAC assets, or columns of a CSV."""

from __future__ import annotations

from backend.archive.units import Unit
from backend.card.model_card import ModelCard
from backend.core.errors import InputError
from backend.raster.band_names import parse
from backend.raster.opening import open_raster
from backend.raster.source import gdal_environment


def told_bands(unit: Unit, card: ModelCard) -> list[int] | None:
    """Return band numbers of a scene in the card's order, 0 for a missing band; None to go by names and values.

    Args:
        unit: The scene. What its plan says counts if its files have as many bands.
        card: Of the model.

    Raises:
        InputError: A band that the model needs is missing, or a file can't be opened.
    """
    wanted = [parse(band.name) for band in card.bands]
    names = [next(iter(name.polarisations)) for name in wanted if len(name.polarisations) == 1 and not name.kinds]
    if not unit.bands or len(set(names)) < len(wanted):
        return None
    with gdal_environment():
        count = 0
        for path in unit.files:
            with open_raster(path) as file:
                count += file.count
    if count != len(unit.bands):
        return None
    numbers = [unit.bands.index(name) + 1 if name in unit.bands else 0 for name in names]
    if not any(numbers) or (0 in numbers and not card.allows_missing_bands):
        raise InputError(
            f"The scene has {', '.join(unit.bands)} by its plan; the model wants {', '.join(names)}.",
            "Give the scene's other polarisation, or choose another model with --model.",
        )
    return numbers
