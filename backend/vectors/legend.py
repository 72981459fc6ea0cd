"""Find names and colours of the classes of a map: of its style, its tags, its tables, or else colours of our own."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import rasterio

from backend.accuracy.class_names import class_names, parse_sidecar
from backend.card.model_card import LandCoverClass
from backend.core.plain_json import parse_json
from backend.output.names import sidecar
from backend.output.styles import LEGEND_TAG
from backend.raster.errors import RASTER_ERRORS

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# Part of a turn between hues that follow each other: the golden ratio, so that no two of them are near.
_TURN = 0.618034


def legend_of(path: str, values: Iterable[int]) -> dict[int, LandCoverClass]:
    """Return value, name and colour of each class, in the order of the values.

    Args:
        path: The map.
        values: Classes that it has. One without a name is called by its number.
    """
    names = class_names(path)
    colours = {**_of_table(path), **_of_tag(path), **_of_style(path)}
    return {
        value: LandCoverClass(value, names.get(value, str(value)), colours.get(value) or _own(place))
        for place, value in enumerate(sorted(values))
    }


def _of_style(path: str) -> dict[int, str]:
    """Return the colours of a map's QGIS style (.qml), which its user may have changed."""
    style = parse_sidecar(sidecar(Path(path), ".qml"))
    entries = [] if style is None else list(style.iter("paletteEntry"))
    return _usable({entry.get("value", ""): entry.get("color", "") for entry in entries})


def _of_tag(path: str) -> dict[int, str]:
    try:
        with rasterio.open(path) as file:
            found = parse_json(file.tags().get(LEGEND_TAG, "[]"))
        return _usable({str(value): str(colour) for value, _, colour in found})
    except (*RASTER_ERRORS, ValueError, TypeError):
        return {}


def _of_table(path: str) -> dict[int, str]:
    try:
        with rasterio.open(path) as file:
            table = file.colormap(1)
    except (*RASTER_ERRORS, ValueError):
        return {}
    return {value: f"#{red:02x}{green:02x}{blue:02x}" for value, (red, green, blue, _) in table.items()}


def _usable(colours: Mapping[str, str]) -> dict[int, str]:
    found = {}
    for text, colour in colours.items():
        try:
            value = float(text)
        except ValueError:
            continue
        if value.is_integer() and _COLOUR.fullmatch(colour):
            found[int(value)] = colour.lower()
    return found


def _own(place: int) -> str:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(place * _TURN % 1, 0.6, 0.85))
    return f"#{red:02x}{green:02x}{blue:02x}"
