"""Provide a map tool's button in the plugins toolbar and its entry in a menu."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtGui import QIcon

from ..common.plugin_files import resource


class ToolAction:
    """Add button and menu entry of a map tool.

    Args:
        iface: QgisInterface.
        menu: Gets the entry.
        tool: QgsMapTool with a method `close`, which ends what it shows.
        icon: File in resources/icons.
        texts: Name of the tool, and its tooltip.
    """

    def __init__(self, iface: Any, menu: Any, tool: Any, icon: str, texts: tuple[str, str]) -> None:
        self._iface, self.tool = iface, tool
        self.action = menu.addAction(QIcon(resource("icons", icon)), texts[0])
        self.action.setToolTip(texts[1])
        self.action.setCheckable(True)
        self.action.triggered.connect(self._use)
        tool.setAction(self.action)
        iface.addToolBarIcon(self.action)

    def _use(self) -> None:
        self._iface.mapCanvas().setMapTool(self.tool)

    def remove(self) -> None:
        """Remove tool and button; the entry is deleted with the menu."""
        self._iface.mapCanvas().unsetMapTool(self.tool)
        self.tool.close()
        self._iface.removeToolBarIcon(self.action)
        self.tool.deleteLater()  # else the canvas would keep it
