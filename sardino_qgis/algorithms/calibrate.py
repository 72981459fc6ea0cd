"""Define `sardino:calibrate`: make a backscatter map from a Sentinel-1 GRD product as downloaded."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingException,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
)

from ..common.i18n import tr
from ..layers.sources import corner_arguments
from .destinations import Destination
from .parameters import static_enum
from .slope_parameters import SlopeParameters

DEGREES = "EPSG:4326"


class CalibrateAlgorithm(SlopeParameters):
    """Calibrate with the product's own tables, remove thermal noise, and geocode to UTM."""

    INPUT = "INPUT"
    PRODUCT = "PRODUCT"
    UNITS = "UNITS"
    PIXEL_SIZE = "PIXEL_SIZE"
    EXTENT = "EXTENT"
    OUTPUT = "OUTPUT"
    OUTPUT_INCIDENCE = "OUTPUT_INCIDENCE"
    OUTPUT_MASK = "OUTPUT_MASK"

    COMMAND = "calibrate"
    LAYERS = (Destination(OUTPUT_INCIDENCE, "--incidence"), Destination(OUTPUT_MASK, "--mask"))
    _slopes: tuple[str, ...] = ()
    ICON = "calibrate.svg"
    HELP = ("sar-input", "sentinel-1-products-as-downloaded")

    def displayName(self) -> str:
        return tr("Calibrate Sentinel-1 GRD")

    def tags(self) -> list[str]:
        words = tr(
            "sar,sentinel-1,grd,safe,radar,calibration,sigma0,gamma0,backscatter,thermal noise,border noise,geocode,"
            "terrain correction,terrain flattening,rtc,layover,shadow,incidence angle,orbit,dem"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Makes a map of backscatter from a Sentinel-1 GRD product as downloaded: calibrated to gamma0 or sigma0 "
            "with the product's own tables, thermal noise removed, noise at the borders masked (in products before "
            "2018), and placed on a grid in UTM by its ground control points. There is a band for each polarisation, "
            "named VV, VH (or HH, HV), so that Land cover finds them.\n\n"
            "In mountains and hills, places are displaced towards the radar by about their height above the "
            "surroundings, or more. An elevation model that covers the scene corrects this (terrain correction by the "
            "range-Doppler equations). Slopes that face the radar are too bright all the same: terrain flattening "
            "corrects that too, and local incidence angles, layover and shadow can be written as layers.\n\n"
            "Land cover, Attention maps and the others accept manifest.safe too, and calibrate it themselves; "
            "calibrating it once saves time if you make several maps. A whole IW product takes minutes, and about 8 GB "
            "of disk space, half of it temporarily."
        )

    def initAlgorithm(self, configuration=None) -> None:
        kinds = tr("Sentinel-1 products (manifest.safe *.zip *.SAFE *.safe)") + ";;" + tr("All files (*)")
        self.add(
            QgsProcessingParameterFile(self.INPUT, tr("Sentinel-1 GRD product"), fileFilter=kinds),
            tr("The product as downloaded: its zip, or manifest.safe in its unpacked folder, or that folder."),
        )
        self.add(
            static_enum(self.PRODUCT, tr("Backscatter"), ("gamma0", "sigma0")),
            tr(
                "gamma0: per area perpendicular to the radar beam, which depends less on the incidence angle (the "
                "bundled model expects it). sigma0: per area of ground."
            ),
        )
        self.add(
            static_enum(self.UNITS, tr("Units"), ("linear_power", "db")),
            tr("linear_power, which may be averaged and resampled; or db (decibels), the usual form for display."),
        )
        kind = QgsProcessingParameterNumber.Type.Double
        size = QgsProcessingParameterNumber(
            self.PIXEL_SIZE, tr("Pixel size [m]"), kind, optional=True, minValue=1, maxValue=200
        )
        self.add(size, tr("Pixel size of the result in metres; that of the product if empty (10 m for IW GRDH)."))
        self.add(
            QgsProcessingParameterExtent(self.EXTENT, tr("Extent"), optional=True),
            tr("Only this part is calibrated; the whole product if empty. Any CRS."),
        )
        self.add_slopes(advanced=False)
        self.add(
            QgsProcessingParameterRasterDestination(self.OUTPUT, tr("Backscatter map")),
            tr("Backscatter, a band for each polarisation (GeoTIFF)."),
        )
        self._add_layers()

    def _add_layers(self) -> None:
        texts = {
            self.OUTPUT_INCIDENCE: (
                tr("Local incidence angle"),
                tr("Angle between the radar's line of sight and the slope's normal, in degrees, by the heights."),
            ),
            self.OUTPUT_MASK: (
                tr("Layover and shadow"),
                tr("1: layover, 2: shadow, 3: both, 0: neither, by the elevation model."),
            ),
        }
        for name, (title, text) in texts.items():
            made = QgsProcessingParameterRasterDestination(name, title, optional=True, createByDefault=False)
            self.add(made, text)

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        """Read product and elevation model on the main thread, which owns the layers."""
        self.read_inputs(parameters, context, feedback)
        self._slopes = tuple(self.slope_options(parameters, context, feedback))
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> str:
        path = self.parameterAsString(parameters, self.INPUT, context)
        if not os.path.exists(path):
            raise QgsProcessingException(tr("There is no file or folder {}.").format(path))
        self.check_slopes(parameters, context)
        return os.path.abspath(path)

    def process(self, parameters, context, feedback) -> dict:
        output = self.parameterAsOutputLayer(parameters, self.OUTPUT, context)
        command = [*self.backend_command(), self.read_inputs(parameters, context, feedback), os.path.abspath(output)]
        command += ["--product", self.quantity(parameters, context)]
        command += self.chosen(parameters, context, {"--units": self.UNITS})
        if parameters.get(self.PIXEL_SIZE) not in (None, ""):
            command += ["--pixel-size", f"{self.parameterAsDouble(parameters, self.PIXEL_SIZE, context):.10g}"]
        if parameters.get(self.EXTENT) not in (None, ""):
            degrees = QgsCoordinateReferenceSystem(DEGREES)
            command += corner_arguments(self.parameterAsExtent(parameters, self.EXTENT, context, degrees))
        layers = {each: each.path(self, parameters, context) for each in self.LAYERS}
        wanted = {each: path for each, path in layers.items() if path}
        command += self._slopes
        for each, path in wanted.items():
            command += [each.option, os.path.abspath(path)]
        result = self.run_backend(command, feedback)
        Destination(self.OUTPUT, "").finish(output, context)
        feedback.pushInfo(tr("Bands: {}.").format(", ".join(result.get("polarisations", []))))
        for each, path in wanted.items():
            each.finish(path, context)
        paths = {self.OUTPUT: output, **{each.parameter: path for each, path in wanted.items()}}
        self._written = tuple(paths.values())
        return paths

    def quantity(self, parameters: dict, context: Any) -> str:
        """Return the quantity to calibrate to."""
        return self.parameterAsEnumString(parameters, self.PRODUCT, context)

    def wanting_elevation(self, parameters: dict, context: Any) -> list[Any]:
        layers = [each.parameter for each in self.LAYERS if each.path(self, parameters, context)]
        return super().wanting_elevation(parameters, context) + [self.parameterDefinition(name) for name in layers]
