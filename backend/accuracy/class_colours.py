"""Find the colours of the classes of a map: of its QGIS style, its tags, or its colour table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import rasterio

from backend.accuracy.class_names import parse_sidecar
from backend.card.colours import hex_color
from backend.core.plain_json import parse_json
from backend.output.names import sidecar
from backend.output.styles import LEGEND_TAG
from backend.raster.errors import RASTER_ERRORS

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def class_colours(path: str) -> dict[int, str]:
    """Return the colour ("#rrggbb") of each class of a map that has one.

    The style, which the map's user may have changed, prevails over the tag of our maps, and this over the colour table.
    """
    return {**_of_table(path), **_of_tag(path), **_of_style(path)}


def _of_style(path: str) -> dict[int, str]:
    style = parse_sidecar(sidecar(Path(path), ".qml"))
    entries = [] if style is None else list(style.iter("paletteEntry"))
    return _usable((entry.get("value", ""), entry.get("color", "")) for entry in entries)


def _of_tag(path: str) -> dict[int, str]:
    try:
        with rasterio.open(path) as file:
            found = parse_json(file.tags().get(LEGEND_TAG, "[]"))
        return _usable((str(value), str(color)) for value, _, color in found)
    except (*RASTER_ERRORS, ValueError, TypeError):
        return {}


def _of_table(path: str) -> dict[int, str]:
    """Return the colours of the table: black is the colour of unused values, and greys alone that of no choice."""
    try:
        with rasterio.open(path) as file:
            table = {value: color[:3] for value, color in file.colormap(1).items() if any(color[:3])}
    except (*RASTER_ERRORS, ValueError):  # a raster without a colour table raises ValueError
        return {}
    chosen = any(len(set(color)) > 1 for color in table.values())
    return {value: hex_color(color) for value, color in table.items()} if chosen else {}


def _usable(colours: Iterable[tuple[str, str]]) -> dict[int, str]:
    found = {}
    for text, color in colours:
        try:
            value = float(text)
        except ValueError:
            continue
        if value.is_integer() and _COLOUR.fullmatch(color):
            found[int(value)] = color.lower()
    return found
