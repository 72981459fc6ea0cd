"""Use a map tool as its user does: click on the canvas, and wait while the desktop goes on."""

from __future__ import annotations

import time

from qgis.core import QgsApplication
from qgis.gui import QgsMapMouseEvent
from qgis.PyQt.QtCore import QEvent, QPoint, Qt


def wait(condition, seconds=90):
    """Let the event loop run, as a user's desktop does, until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        QgsApplication.processEvents()
        time.sleep(0.005)


def idle(desk):
    return lambda: desk.tool._task is None


def click(desk, x, y, modifiers=Qt.KeyboardModifier.NoModifier):
    """A mouse click at map coordinates, through the canvas's own event."""
    place = desk.canvas.getCoordinateTransform().transform(x, y)
    event = QgsMapMouseEvent(
        desk.canvas, QEvent.Type.MouseButtonRelease, QPoint(round(place.x()), round(place.y())),
        Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton, modifiers,
    )  # fmt: skip
    desk.tool.canvasReleaseEvent(event)
