"""Load the QGIS plugin SAR Land Cover (DINO), whose Processing algorithms run the backend in a separate process."""

from __future__ import annotations


def classFactory(iface):
    """Return the plugin object for QGIS. It is imported here, so that parts of this package load without QGIS.

    Args:
        iface: The QgisInterface of the desktop, or None in `qgis_process`.
    """
    from .plugin import SarDinoPlugin

    return SarDinoPlugin(iface)
