"""Style polygons when the desktop loads them: Processing leaves out the style that comes with a file."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProviderRegistry, QgsVectorLayer

from .styling import Styler, apply_qml


class PolygonStyler(Styler):
    """Apply the default style in a GeoPackage, or the .qml next to GeoJSON."""

    def postProcessLayer(self, layer, context, feedback) -> None:
        """Style `layer` after Processing has loaded it."""
        if isinstance(layer, QgsVectorLayer):
            self.style(layer)
            layer.triggerRepaint()

    def style(self, layer: Any) -> None:
        path = QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).get("path", "")
        if path.lower().endswith(".gpkg"):
            layer.loadDefaultStyle()
        else:
            apply_qml(layer)
