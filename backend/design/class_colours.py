"""Find the colours of a map's classes: of its colour table, else of a palette."""

from __future__ import annotations

from collections.abc import Mapping

import rasterio

from backend.design.form import PALETTE
from backend.raster.errors import RASTER_ERRORS


def class_colours(path: str, names: Mapping[int, str]) -> dict[int, str]:
    """Return "#rrggbb" of each class value.

    Args:
        path: Raster of classes.
        names: Names by value.
    """
    try:
        with rasterio.open(path) as file:
            table = file.colormap(1)
    except (*RASTER_ERRORS, ValueError):  # a raster without a colour table raises ValueError
        table = {}
    found = {}
    for number, value in enumerate(sorted(names)):
        color = table.get(value)
        known = color is not None and tuple(color[:3]) != (0, 0, 0)
        found[value] = "#{:02x}{:02x}{:02x}".format(*color[:3]) if known else PALETTE[number % len(PALETTE)]
    return found
