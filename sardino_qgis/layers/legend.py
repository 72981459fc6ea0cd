"""Name the classes of maps, in the user's language.

Files that came without their sidecars have no names: QGIS lists all 256 values of a colour table then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from qgis.core import QgsPalettedRasterRenderer, QgsRasterLayer
from qgis.PyQt.QtGui import QColor

from ..common.backend_texts import backend_text
from .metadata import file_tags

VALUES = 256  # in the colour table of a file of bytes
TAG = "CLASSES"


def legend_of(path: str) -> list[tuple[int, str, str]]:
    """Return value, name and "#rrggbb" of each class that the backend wrote into a file; [] if there are none."""
    try:
        found = json.loads(file_tags(path).get(TAG, "[]"))
        classes = [(int(value), str(name)[:100], str(colour)) for value, name, colour in found]
    except (ValueError, TypeError):
        return []  # the file may come from anywhere
    return [item for item in classes[:VALUES] if QColor(item[2]).isValid()]


def name_classes(layers: Iterable[Any]) -> None:
    """Give a legend to those of `layers` that show a whole colour table; others, styled ones too, are not changed."""
    for layer in layers:
        if not isinstance(layer, QgsRasterLayer) or layer.providerType() != "gdal":
            continue
        renderer = layer.renderer()
        if not isinstance(renderer, QgsPalettedRasterRenderer) or len(renderer.classes()) != VALUES:
            continue
        if not all(item.label in ("", f"{item.value:g}") for item in renderer.classes()):
            continue
        found = [
            QgsPalettedRasterRenderer.Class(value, QColor(colour), backend_text(name))
            for value, name, colour in legend_of(layer.source())
        ]
        if found:
            layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), renderer.band(), found))
            layer.triggerRepaint()


def translate_legend(layer: Any) -> None:
    """Show the class names that the backend gives, which are English, in the user's language."""
    renderer = layer.renderer()
    if not isinstance(renderer, QgsPalettedRasterRenderer):
        return
    classes = renderer.classes()
    shown = [backend_text(item.label) for item in classes]
    if shown != [item.label for item in classes]:
        translated = [
            QgsPalettedRasterRenderer.Class(item.value, item.color, label) for item, label in zip(classes, shown)
        ]
        layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), renderer.band(), translated))


def translated_names(path: str) -> dict[str, int]:
    """Return the values of a map's classes that the user's legend names otherwise than the file, by that name."""
    return {shown: value for value, name, _ in legend_of(path) if (shown := backend_text(name)) != name}
