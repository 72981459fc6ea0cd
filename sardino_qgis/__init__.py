"""QGIS plugin of SAR Land Cover (DINO): Processing algorithms that run the backend in a process of its own."""

from __future__ import annotations


def classFactory(iface):
    """The plugin object for QGIS; imported late, so that parts of this package load without a QGIS session.

    Args:
        iface: The QgisInterface of the desktop, or None in `qgis_process`.
    """
    from .plugin import SarDinoPlugin

    return SarDinoPlugin(iface)
