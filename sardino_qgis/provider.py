"""Provide the plugin's algorithms to Processing."""

from __future__ import annotations

from typing import Callable

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms import ALGORITHMS
from .client.pool import WarmPool
from .common.i18n import tr
from .common.plugin_files import resource

PROVIDER_ID = "sardino"


class SarDinoProvider(QgsProcessingProvider):
    """Provide the group of this plugin's algorithms in the toolbox."""

    # Set by the plugin on the desktop:
    warm_pool: WarmPool | None = None
    offer_setup: Callable[[], str] | None = None  # offers to set up a missing backend, and returns what is missing

    def id(self) -> str:
        return PROVIDER_ID

    def name(self) -> str:
        return tr("SAR Land Cover (DINO)")

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return resource("icons", "sardino.svg")

    def loadAlgorithms(self) -> None:
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        """Return the extensions of GeoTIFF, the only format that the backend writes."""
        return ["tif", "tiff"]

    def defaultVectorFileExtension(self, hasGeometry: bool = True) -> str:
        """Return the extension of GeoPackage, which temporary polygons get: the backend writes no shapefiles."""
        return "gpkg" if hasGeometry else "csv"

    def supportsNonFileBasedOutput(self) -> bool:
        return False
