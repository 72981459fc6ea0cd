"""Reload the layers of a file that a run has replaced: they would show the older map, its extent, or nothing."""

from __future__ import annotations

import os
from typing import Any, Callable

from qgis.core import QgsApplication, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import QThread

from .metadata import describe
from .styling import apply_qml
from .temporal import set_time


def reload_layers(project: Any, path: str) -> int:
    """Reload all raster layers of `project` (a QgsProject or None) that show the file `path`; return their number.

    They get the style of the new file, since classes and range may be others. Does nothing outside the main thread,
    which owns the layers: a model of the designer runs its steps in another one.
    """
    if project is None or QThread.currentThread() != QgsApplication.instance().thread():
        return 0
    count = 0
    for layer in project.mapLayers().values():
        if isinstance(layer, QgsRasterLayer) and layer.providerType() == "gdal" and _same(layer.source(), path):
            layer.setDataSource(layer.source(), layer.name(), "gdal", False)
            apply_qml(layer)
            describe(layer)
            set_time(layer)
            layer.triggerRepaint()
            count += 1
    return count


def reload_polygons(project: Any, path: str, style: Callable[[Any], None]) -> int:
    """Reload the vector layers of `project` that show the file `path`, as `reload_layers` does; `style` styles each."""
    if project is None or QThread.currentThread() != QgsApplication.instance().thread():
        return 0
    count = 0
    for layer in project.mapLayers().values():
        if isinstance(layer, QgsVectorLayer) and layer.providerType() == "ogr" and _same(layer.source(), path):
            layer.setDataSource(layer.source(), layer.name(), "ogr", False)
            style(layer)
            layer.triggerRepaint()
            count += 1
    return count


def _same(source: str, path: str) -> bool:
    """Return whether a layer's source, which may have options after the name, is the file `path`."""
    source = source.partition("|")[0]
    try:
        return os.path.samefile(source, path)
    except OSError:
        return False
