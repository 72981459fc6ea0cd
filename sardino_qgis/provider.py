"""Provide the plugin's algorithms to Processing."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms import ALGORITHMS
from .client.pool import WarmPool
from .common.i18n import tr
from .common.plugin_files import resource

PROVIDER_ID = "sardino"


class SarDinoProvider(QgsProcessingProvider):
    """The group of this plugin's algorithms in the toolbox."""

    warm_pool: WarmPool | None = None  # set by the plugin on the desktop

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

    def supportsNonFileBasedOutput(self) -> bool:
        return False
