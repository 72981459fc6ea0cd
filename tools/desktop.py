"""Drive a running QGIS desktop: wait, click, take pictures. Imported only inside QGIS."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QPoint, QRect, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication
from qgis.utils import iface


class TourError(Exception):
    """Signal that the desktop did not do what was expected."""


class Desktop:
    """Drive the main window of QGIS.

    Args:
        folder: Folder for the pictures.
        size: Size of the main window in pixels, which should be the screen's.
    """

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self.folder = folder
        self.window = iface.mainWindow()
        self.canvas = iface.mapCanvas()
        self.window.showNormal()
        self.window.setGeometry(0, 0, *size)
        self.settle()

    def until(self, true: Callable[[], object], what: str, seconds: float = 120) -> None:
        """Process events until `true()`; raise TourError naming `what` after so many seconds."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise TourError(f"waited {seconds:.0f} s for {what}")
            QCoreApplication.processEvents()
            time.sleep(0.01)

    def settle(self, seconds: float = 0.7) -> None:
        """Let QGIS lay out, draw the map and finish background work."""
        begun = time.monotonic()
        self.until(lambda: time.monotonic() > begun + seconds, "the clock")
        self.until(lambda: QgsApplication.taskManager().countActiveTasks() == 0, "the tasks in the background")
        self.canvas.waitWhileRendering()
        self.until(lambda: not self.canvas.isDrawing(), "the map to be drawn")

    def picture(self, name: str, widget: Any = None) -> None:
        """Save a picture of a widget (by default the main window) as NAME.png."""
        self.settle()
        self._save((widget or self.window).grab(), name)

    def screen(self, name: str, area: QRect) -> None:
        """Save a part of the screen, with open menus."""
        self.settle()
        self._save(QApplication.primaryScreen().grabWindow(0).copy(area), name)

    def _save(self, pixels: Any, name: str) -> None:
        path = self.folder / f"{name}.png"
        if not pixels.save(str(path)):
            raise TourError(f"{path} can't be written")
        print(f"picture      {path.name} ({pixels.width()} x {pixels.height()})", flush=True)

    def add_raster(self, path: Path, name: str) -> Any:
        """Load a raster and return its layer."""
        layer = iface.addRasterLayer(str(path), name)
        if layer is None or not layer.isValid():
            raise TourError(f"{path} can't be opened")
        return layer

    def layer(self, name: str) -> Any:
        """Return the layer of that name as soon as it exists."""
        self.until(lambda: QgsProject.instance().mapLayersByName(name), f"the layer '{name}'")
        return QgsProject.instance().mapLayersByName(name)[0]

    def show(self, layer: Any, *below: Any) -> None:
        """Show one whole layer, alone or over others, with its legend unfolded and no message above the map."""
        iface.messageBar().clearWidgets()
        for node in QgsProject.instance().layerTreeRoot().findLayers():
            node.setItemVisibilityChecked(node.layer() in (layer, *below))
            node.setExpanded(False)
        shown = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
        shown.setItemVisibilityCheckedParentRecursive(True)
        self.settle()
        # A legend that QGIS has not built yet would appear folded.
        shown.setExpanded(True)
        extent = layer.extent()
        extent.scale(1.05)
        self.canvas.setExtent(extent)
        self.canvas.refresh()
        self.settle()

    def click(self, fraction_x: float, fraction_y: float, layer: Any) -> None:
        """Click on the map at fractions of the width and height of a layer, from its north-west corner."""
        extent = layer.extent()
        x = extent.xMinimum() + fraction_x * extent.width()
        y = extent.yMaximum() - fraction_y * extent.height()
        place = self.canvas.getCoordinateTransform().transform(x, y)
        position = QPoint(round(place.x()), round(place.y()))
        QTest.mouseMove(self.canvas.viewport(), position)
        QTest.mouseClick(self.canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, position)

    def modal_picture(self, name: str, size: tuple[int, int], act: Callable[[], object]) -> None:
        """Run `act`, which opens a modal dialog; save a picture of that dialog at this size, and close it."""
        taken: list[Exception | None] = []

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if dialog is None:
                return
            watch.stop()
            try:
                dialog.resize(*size)
                self.picture(name, dialog)
                taken.append(None)
            except Exception as trouble:  # Qt calls this, so that an exception would be lost
                taken.append(trouble)
            dialog.close()

        watch = QTimer()
        watch.timeout.connect(look)
        watch.start(200)
        act()
        watch.stop()
        trouble = taken[0] if taken else TourError("no dialog came up")
        if trouble is not None:
            raise trouble
