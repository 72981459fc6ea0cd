"""Merge WorldCover's classes to those that one C-band image can tell apart.

Values are WorldCover's where a class is one of its classes. Open land, which is several, has the value of grassland.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.card import worldcover as lc
from backend.card.model_card import LandCoverClass
from training.landcover.chips import Legend, legend_of

MERGED_CLASSES: tuple[LandCoverClass, ...] = tuple(
    LandCoverClass(value, name, lc.MERGED_COLOURS[value]) for value, name in lc.MERGED_NAMES.items()
)


def merged_value(value: int) -> int | None:
    """Return the value of the merged class of a WorldCover value; None for other values."""
    return lc.MERGED_VALUES[lc.MERGED[value]] if value in lc.MERGED else None


def legend_of_card(classes: Sequence[LandCoverClass]) -> Legend:
    """Return the class index of label values for a model with these classes, merged where the model's are."""
    plain = legend_of(classes)
    if not all(item in MERGED_CLASSES for item in classes):
        return plain
    merged = {value: plain.indices.get(lc.MERGED_VALUES[group]) for value, group in lc.MERGED.items()}
    return Legend({value: index for value, index in merged.items() if index is not None})
