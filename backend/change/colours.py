"""Choose the colours of transitions: pale where nothing changed, clear where something did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import rasterio

from backend.card.worldcover import COLOURS, MERGED_COLOURS, MERGED_NAMES, NAMES
from backend.core.plain_json import parse_json
from backend.output.styles import LEGEND_TAG, rgb
from backend.own_classes.colours import distinct, palette, word_colour
from backend.raster.errors import RASTER_ERRORS

# Share of the class's colour where nothing changed; the rest is PALE.
MUTED, PALE = 0.22, (242, 242, 240)
# Share of the later class in the colour of a change.
LATER = 0.72


def file_colours(path: str) -> dict[int, str]:
    """Return the colour ("#rrggbb") of each class by the tag of our maps, else by the colour table; empty if none."""
    try:
        with rasterio.open(path) as file:
            tagged = parse_json(file.tags().get(LEGEND_TAG, "[]"))
            if tagged:
                return {int(value): _checked(color) for value, _, color in tagged}
            table = file.colormap(1)
    except (*RASTER_ERRORS, ValueError, TypeError):
        return {}
    # A grey ramp is what programs write where no colours were chosen.
    return {value: _text(entry[:3]) for value, entry in table.items() if len(set(entry[:3])) > 1}


def class_colours(values: Sequence[int], names: Mapping[int, str], given: Mapping[int, str]) -> dict[int, str]:
    """Return a colour for each class.

    Args:
        values: Classes.
        names: Names of the classes.
        given: Colours that the maps bring.
    """
    found: dict[int, str] = {}
    for value in values:
        name = names.get(value, "")
        known = [
            legend[value]
            for title, legend in ((MERGED_NAMES, MERGED_COLOURS), (NAMES, COLOURS))
            if title.get(value, "").casefold() == name.casefold() and value in legend
        ]
        wanted = given.get(value) or next(iter(known), "") or word_colour(name)
        if wanted:
            found[value] = distinct(wanted, found.values())
    more = palette(found.values())
    return {value: found.get(value) or next(more) for value in values}


def transition_colour(before: str, after: str) -> str:
    """Return the colour of a transition between two classes of these colours; of no change if they are one class."""
    if before == after:
        return _mixed(rgb(before), PALE, MUTED)
    return _mixed(rgb(after), rgb(before), LATER)


def _mixed(one: Sequence[int], other: Sequence[int], share: float) -> str:
    return _text([round(share * a + (1 - share) * b) for a, b in zip(one, other)])


def _text(parts: Sequence[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in parts)


def _checked(color: str) -> str:
    return _text(rgb(color))
