"""Mark clicked places on the map."""

from __future__ import annotations

from typing import Any

from qgis.gui import QgsVertexMarker
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

# White with a dark rim: visible on any map. Colour, width of the lines and size in pixels.
_CROSS = ((Qt.GlobalColor.black, 5, 17), (Qt.GlobalColor.white, 2, 15))


class PlaceMarks:
    """Draw crosses on a QgsMapCanvas."""

    def __init__(self, canvas: Any) -> None:
        self._canvas = canvas
        self._markers: list[QgsVertexMarker] = []

    def add(self, point: Any) -> None:
        """Mark a QgsPointXY in the canvas's CRS."""
        for colour, width, size in _CROSS:
            marker = QgsVertexMarker(self._canvas)
            marker.setCenter(point)
            marker.setIconType(QgsVertexMarker.IconType.ICON_CROSS)
            marker.setColor(QColor(colour))
            marker.setPenWidth(width)
            marker.setIconSize(size)
            self._markers.append(marker)

    def clear(self) -> None:
        """Remove all marks."""
        for marker in self._markers:
            self._canvas.scene().removeItem(marker)
        self._markers = []
