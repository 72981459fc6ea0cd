"""Find names and colours of the classes of a map: its own, or else colours that differ."""

from __future__ import annotations

from collections.abc import Iterable

from backend.accuracy.class_colours import class_colours
from backend.accuracy.class_names import class_names
from backend.card.colours import colours_for
from backend.card.model_card import LandCoverClass


def legend_of(path: str, values: Iterable[int]) -> dict[int, LandCoverClass]:
    """Return value, name and colour of each class, in the order of the values.

    Args:
        path: The map.
        values: Classes that it has. One without a name is called by its number.
    """
    known, order = class_names(path), sorted(values)
    names = {value: known.get(value, str(value)) for value in order}
    colours = colours_for(order, names, class_colours(path))
    return {value: LandCoverClass(value, names[value], colours[value]) for value in order}
