"""Define `sardino:sarchange`: where backscatter of two dates differs by more than speckle explains."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
)

from ...common.i18n import tr
from ...layers.sources import worker_source
from ..destinations import Destination
from ..parameters import RASTERS, add_units, fraction, integer
from .two_dates import TwoDates


class SarChangeAlgorithm(TwoDates):
    """Mark significant changes of backscatter, whatever the land cover."""

    BEFORE_FURTHER = "BEFORE_FURTHER"
    AFTER_FURTHER = "AFTER_FURTHER"
    BANDS = "BANDS"
    UNITS = "UNITS"
    ACCEPT_VALUES = "ACCEPT_VALUES"
    WINDOW = "WINDOW"
    LEVEL = "LEVEL"
    LOOKS = "LOOKS"
    OUTPUT_DECIBELS = "OUTPUT_DECIBELS"
    OUTPUT_P_VALUE = "OUTPUT_P_VALUE"

    COMMAND = "sarchange"
    ICON = "sarchange.svg"
    HELP = ("change", "change-between-two-sar-dates")
    DESTINATIONS = (
        Destination("OUTPUT", ""),
        Destination("OUTPUT_DECIBELS", "--decibels"),
        Destination("OUTPUT_P_VALUE", "--p-value"),
    )

    def displayName(self) -> str:
        return tr("Change between two SAR dates")

    def tags(self) -> list[str]:
        words = tr(
            "sar,sentinel-1,change,change detection,log-ratio,ratio,significance,wishart,speckle,looks,flood,"
            "deforestation,damage,backscatter,before,after"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Compares two SAR scenes of one place and marks where backscatter fell or rose by more than speckle "
            "explains, even where the land-cover class stayed the same. No model is used.\n\n"
            "Power is averaged over a square window, and the ratio of the dates is tested, both polarisations together "
            "(likelihood-ratio test of Conradsen et al. 2003, IEEE TGRS 41(1), 4-19, for intensities). The number of "
            "looks, and how far neighbouring pixels are correlated, are estimated from the data. Of the pixels where "
            "nothing changed, about the share given as significance level is marked.\n\n"
            "Take two scenes of the same orbit and pass direction, processed in the same way: another direction of "
            "view changes backscatter everywhere. A change of backscatter need not be one of land cover: rain, wind "
            "on water, frost, ploughing and growth change it too."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_dates(
            tr("SAR raster before"),
            tr("SAR raster after"),
            tr(
                "Backscatter in a raster file, in dB, linear power or amplitude; VV and VH, or one polarisation. Both "
                "dates on one grid, or shifted. Calibrate Sentinel-1 products as downloaded first."
            ),
        )
        for name, description in (
            (self.BEFORE_FURTHER, tr("Further rasters of the date before")),
            (self.AFTER_FURTHER, tr("Further rasters of the date after")),
        ):
            self.add(
                QgsProcessingParameterMultipleLayers(name, description, RASTERS, optional=True),
                tr("If each polarisation is in a separate file: the other file of this date."),
                advanced=True,
            )
        self._add_reading()
        self.add(
            integer(self.WINDOW, tr("Window [pixels]"), 7, 3, 51),
            tr(
                "Side of the square over which power is averaged; an odd number. Smaller windows find smaller places, "
                "larger ones find fainter changes."
            ),
        )
        self.add(
            fraction(self.LEVEL, tr("Significance level"), 0.01, 1e-9, 0.49),
            tr("Share of the unchanged pixels that may be marked by chance. With 0.001 fewer faint changes are found."),
        )
        looks = QgsProcessingParameterNumber(
            self.LOOKS, tr("Looks of a pixel"), QgsProcessingParameterNumber.Type.Double, optional=True,
            minValue=0.3, maxValue=1000,
        )  # fmt: skip
        self.add(
            looks,
            tr("Equivalent number of looks of a pixel, about 4.4 for IW GRDH. If empty, it is estimated."),
            advanced=True,
        )
        self._add_rasters()
        self.add_texts()

    def _add_reading(self) -> None:
        add_units(self, self.UNITS)
        self.add(
            QgsProcessingParameterBand(self.BANDS, tr("Bands"), None, self.BEFORE, optional=True, allowMultiple=True),
            tr("Bands to compare, VV before VH, the same in both rasters. If empty, they are found by their names."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean(self.ACCEPT_VALUES, tr("Accept implausible values"), False),
            tr("Values that can't be backscatter are refused. Check this box to compare them anyway."),
            advanced=True,
        )

    def _add_rasters(self) -> None:
        self.add_raster(
            self.OUTPUT,
            tr("Significant change"),
            tr("Where backscatter fell, rose, or did so differently in the two polarisations (GeoTIFF)."),
        )
        self.add_raster(
            self.OUTPUT_DECIBELS,
            tr("Change in dB"),
            tr("Later minus earlier backscatter, averaged over the window, a band for each polarisation."),
        )
        self.add_raster(
            self.OUTPUT_P_VALUE,
            tr("p value of no change"),
            tr("Probability of such a ratio without change; small where a change is certain."),
        )

    def own_options(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        options = ["--from", "sar", *self.chosen(parameters, context, {"--units": self.UNITS})]
        options += ["--window", str(self.parameterAsInt(parameters, self.WINDOW, context))]
        options += ["--level", f"{self.parameterAsDouble(parameters, self.LEVEL, context):.12f}"]
        if parameters.get(self.LOOKS) not in (None, ""):
            options += ["--looks", f"{self.parameterAsDouble(parameters, self.LOOKS, context):.6g}"]
        bands = self.parameterAsInts(parameters, self.BANDS, context)
        if bands:
            options += ["--bands", *map(str, bands)]
        if self.parameterAsBool(parameters, self.ACCEPT_VALUES, context):
            options.append("--accept-values")
        for name, option in ((self.BEFORE_FURTHER, "--before-with"), (self.AFTER_FURTHER, "--after-with")):
            for further in self.parameterAsLayerList(parameters, name, context):
                options += [option, worker_source(further, feedback)]
        return options
