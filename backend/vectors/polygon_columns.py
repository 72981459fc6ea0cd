"""List the fields that polygons of classes have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.card.model_card import LandCoverClass
from backend.vectors.patches import Patches

CLASS = "class"


@dataclass(frozen=True)
class Column:
    """Hold a field: its name, its SQL type, and its values by number of the patch."""

    name: str
    sql: str
    value: Callable[[int], Any]


def columns_of(patches: Patches, legend: dict[int, LandCoverClass], metres: bool, confidence: bool) -> list[Column]:
    """Return the fields: value and name of the class, area, and mean confidence.

    Args:
        patches: Patches of the map.
        legend: Legend of its classes.
        metres: Whether areas are known in square metres; else they are numbers of pixels.
        confidence: Whether there is one.
    """
    classes, areas, pixels = patches.classes, patches.area, patches.pixels
    columns = [
        Column(CLASS, "INTEGER", lambda patch: int(classes[patch])),
        Column("name", "TEXT", lambda patch: legend[int(classes[patch])].name),
        Column("area_m2", "REAL", lambda patch: round(float(areas[patch]), 2))
        if metres
        else Column("pixels", "INTEGER", lambda patch: int(pixels[patch])),
    ]
    if confidence:
        means = patches.means()
        columns.append(
            Column("confidence", "REAL", lambda p: round(float(means[p]), 4) if np.isfinite(means[p]) else None)
        )
    return columns
