"""Define `sardino:flatten`: calibrate a Sentinel-1 GRD product with the brightness of its slopes corrected."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingParameterDefinition

from ..common.i18n import tr
from .calibrate import CalibrateAlgorithm


class FlattenAlgorithm(CalibrateAlgorithm):
    """Calibrate to terrain-flattened gamma0: CalibrateAlgorithm with a required elevation model."""

    ICON = "flatten.svg"
    HELP = ("slopes", "terrain-flattening")

    def name(self) -> str:
        return "flatten"

    def displayName(self) -> str:
        return tr("Terrain flattening")

    def tags(self) -> list[str]:
        words = tr(
            "sar,sentinel-1,grd,safe,radar,slope,terrain flattening,radiometric terrain correction,rtc,gamma0,layover,"
            "shadow,incidence angle,dem"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Makes a map of backscatter from a Sentinel-1 GRD product as downloaded, in which slopes that face the "
            "radar are no longer brighter than others: backscatter is related to the area of the ground that the radar "
            "sees there, by an elevation model (terrain-flattened gamma0; Small 2011). Positions are corrected for the "
            "terrain too.\n\n"
            "Layers of the local incidence angle, and of layover and shadow, can be written too. In layover several "
            "slopes share one echo, and in shadow there is none: no correction brings back what isn't in the image.\n\n"
            "It is the same as 'Calibrate Sentinel-1 GRD' with 'Terrain flattening' checked. Land cover, Attention "
            "maps and the others have that option too, for products that they are given."
        )

    def initAlgorithm(self, configuration=None) -> None:
        super().initAlgorithm(configuration)
        for name in (self.PRODUCT, self.FLATTEN):
            self.removeParameter(name)
        elevation = self.parameterDefinition(self.DEM)
        elevation.setFlags(elevation.flags() & ~QgsProcessingParameterDefinition.Flag.FlagOptional)

    def quantity(self, parameters: dict, context: Any) -> str:
        return "gamma0"

    def slope_options(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        return [*super().slope_options(parameters, context, feedback), "--flatten"]
