"""Name the classes of maps whose file came without its sidecars: QGIS lists all 256 values of a colour table then."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from qgis.core import QgsPalettedRasterRenderer, QgsRasterLayer
from qgis.PyQt.QtGui import QColor

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
            QgsPalettedRasterRenderer.Class(value, QColor(c), name) for value, name, c in legend_of(layer.source())
        ]
        if found:
            layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), renderer.band(), found))
            layer.triggerRepaint()
