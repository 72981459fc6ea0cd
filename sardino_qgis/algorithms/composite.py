"""Define `sardino:composite`: make one raster of several dates, or the dates with less speckle."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import (
    QgsProcessingException,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterDestination,
)

from ..common.i18n import tr
from ..layers.sources import check_crs, extent_arguments, worker_source
from .base import BackendAlgorithm
from .destinations import Destination
from .parameters import RASTERS, UNITS, static_enum

STATISTICS = ("mean", "median", "min", "max", "std", "count")


class CompositeAlgorithm(BackendAlgorithm):
    """Compute statistics over dates in linear power, by period; or filter speckle over time."""

    INPUTS = "INPUTS"
    STATISTICS = "STATISTICS"
    PERIOD = "PERIOD"
    FILTER = "FILTER"
    EXTENT = "EXTENT"
    UNITS = "UNITS"
    OUTPUT_UNITS = "OUTPUT_UNITS"
    ACCEPT_VALUES = "ACCEPT_VALUES"
    OUTPUT = "OUTPUT"

    COMMAND = "composite"
    ICON = "composite.svg"
    HELP = ("several-dates", "composite-of-several-dates")

    def __init__(self) -> None:
        super().__init__()
        self._inputs: list[str] = []

    def displayName(self) -> str:
        return tr("Composite of several dates")

    def tags(self) -> list[str]:
        words = tr(
            "sar,sentinel-1,radar,time series,multitemporal,composite,mean,median,season,month,speckle filter,quegan,"
            "dates"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Makes one raster of several Sentinel-1 dates of one place: for each pixel the mean, median, minimum or "
            "maximum over the dates, how much it varies, and how many dates have data; of all dates, of each season or "
            "of each month. Statistics are computed in linear power, as they must be; the deviation is in dB.\n\n"
            "The rasters may have different units, extents and grids: each is read in its own unit, and resampled to "
            "the grid of the first. Dates are found in tags or in names, such as S1_20210401.tif. One raster may hold "
            "several dates, if its bands are named by them; polarisations in separate files are put together by their "
            "names.\n\n"
            "Land cover accepts a composite of means as it is. To map land cover from several dates, however, give "
            "them to 'Land cover from SAR' as further dates: each is mapped by itself, which is more accurate.\n\n"
            "Instead of statistics, the dates themselves can be written with less speckle (Quegan and Yu 2001)."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add(
            QgsProcessingParameterMultipleLayers(self.INPUTS, tr("Rasters of several dates"), RASTERS),
            tr(
                "Sentinel-1 backscatter with the same polarisations, in dB, linear power or amplitude. The first one "
                "sets the grid. manifest.safe of a GRD product works too."
            ),
        )
        statistics = QgsProcessingParameterEnum(
            self.STATISTICS, tr("Statistics"), list(STATISTICS), True, defaultValue=["mean"], optional=True
        )
        statistics.setUsesStaticStrings(True)
        self.add(
            statistics,
            tr(
                "Bands of the result, for each polarisation: mean, median, min and max of the dates, std (standard "
                "deviation over time in dB); and count, the number of dates with data."
            ),
        )
        self.add(
            static_enum(self.PERIOD, tr("Period"), ("all", "season", "month")),
            tr("all: one composite of all dates. season, month: one of each season or month that has dates."),
        )
        self._add_advanced()
        self.add(
            QgsProcessingParameterRasterDestination(self.OUTPUT, tr("Composite")),
            tr("A band for each polarisation, statistic and period, such as VV_mean (GeoTIFF)."),
        )

    def _add_advanced(self) -> None:
        self.add(
            QgsProcessingParameterBoolean(self.FILTER, tr("Filter speckle, and keep the dates"), False),
            tr(
                "Write the dates themselves with less speckle, a band for each date and polarisation, instead of "
                "statistics. The log gives the equivalent number of looks before and after."
            ),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterExtent(self.EXTENT, tr("Extent"), optional=True),
            tr("Only this part is written; if empty, all that any of the rasters covers. Any CRS."),
        )
        self.add(
            static_enum(self.UNITS, tr("Units"), UNITS),
            tr("Units of all rasters. auto decides for each raster from its values, and reports it in the log."),
            advanced=True,
        )
        self.add(
            static_enum(self.OUTPUT_UNITS, tr("Units of the result"), ("db", "linear_power")),
            tr("db (decibels), the usual form for display; or linear_power."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean(self.ACCEPT_VALUES, tr("Accept implausible values"), False),
            tr("Values that can't be backscatter are refused. Check this box to use them anyway; the log says so."),
            advanced=True,
        )

    # Running

    def checkParameterValues(self, parameters, context) -> tuple[bool, str]:
        keeps_dates = self.parameterAsBool(parameters, self.FILTER, context)
        if keeps_dates and self.parameterAsEnumString(parameters, self.PERIOD, context) != "all":
            return False, tr("The filter writes the dates themselves: set the period to all.")
        return super().checkParameterValues(parameters, context)

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        """Read the layers on the main thread, which owns them."""
        self._inputs = self.read_inputs(parameters, context, feedback)
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        """Return the sources of the rasters, and the options for the extent."""
        layers = self.parameterAsLayerList(parameters, self.INPUTS, context)
        if not layers:
            raise QgsProcessingException(tr("No raster was given, or one can't be opened."))
        sources = [worker_source(layer, feedback) for layer in layers]
        check_crs(layers[0], feedback)
        if parameters.get(self.EXTENT) in (None, ""):
            return sources
        extent = self.parameterAsExtent(parameters, self.EXTENT, context, layers[0].crs())
        return sources + extent_arguments(extent, layers[0])

    def process(self, parameters, context, feedback) -> dict:
        """Run the backend, and return the path of the composite."""
        output = self.parameterAsOutputLayer(parameters, self.OUTPUT, context)
        command = [*self.backend_command(), os.path.abspath(output), *self._inputs]
        if self.parameterAsBool(parameters, self.FILTER, context):
            command.append("--filter")
        else:
            command += [
                "--statistics",
                *(self.parameterAsEnumStrings(parameters, self.STATISTICS, context) or STATISTICS[:1]),
            ]
            command += self.chosen(parameters, context, {"--period": self.PERIOD})
        command += self.chosen(parameters, context, {"--units": self.UNITS, "--output-units": self.OUTPUT_UNITS})
        if self.parameterAsBool(parameters, self.ACCEPT_VALUES, context):
            command.append("--accept-values")
        result = self.run_backend(command, feedback)
        Destination(self.OUTPUT, "").finish(output, context)
        feedback.pushInfo(tr("Bands: {}.").format(", ".join(result.get("bands", []))))
        self._written = [output]
        return {self.OUTPUT: output}
