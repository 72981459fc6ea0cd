"""Replace QGIS's desktop by the parts that the plugin uses."""

from __future__ import annotations

from qgis.core import Qgis, QgsProject
from qgis.gui import QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtWidgets import QMainWindow, QMenu, QToolBar


class Desktop:
    """The calls of QgisInterface that the plugin makes, on real widgets."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self.window = QMainWindow()
        self.menu = QMenu("Plugins", self.window)
        self.toolbar = QToolBar(self.window)
        self.canvas = canvas
        self.bar = QgsMessageBar(self.window)
        self._active = ""

    def mainWindow(self):  # noqa: N802
        return self.window

    def pluginMenu(self):  # noqa: N802
        return self.menu

    def mapCanvas(self):  # noqa: N802
        return self.canvas

    def messageBar(self):  # noqa: N802
        return self.bar

    def addToolBarIcon(self, action):  # noqa: N802
        self.toolbar.addAction(action)

    def removeToolBarIcon(self, action):  # noqa: N802
        self.toolbar.removeAction(action)

    def addDockWidget(self, area, dock):  # noqa: N802
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock):  # noqa: N802
        self.window.removeDockWidget(dock)

    def activeLayer(self):  # noqa: N802
        return QgsProject.instance().mapLayer(self._active)

    def setActiveLayer(self, layer):  # noqa: N802
        self._active = layer.id() if layer is not None else ""

    def messages(self):
        """What the message bar says and no longer said, but for mere information; oldest first."""
        return [item.text() for item in reversed(self.bar.items()) if item.level() != Qgis.MessageLevel.Info]
