"""The Processing provider."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms import ALGORITHMS
from .client.pool import WarmPool
from .common.i18n import tr
from .common.plugin_files import resource

PROVIDER_ID = "sardino"


class SarDinoProvider(QgsProcessingProvider):
    """Gives the toolbox the algorithms of this plugin."""

    warm_pool: WarmPool | None = None  # the plugin's, in a desktop

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
        """What the backend writes: GeoTIFF and nothing else."""
        return ["tif", "tiff"]

    def supportsNonFileBasedOutput(self) -> bool:
        return False
