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
    QgsProcessingParameterRasterLayer,
)

from ..common.i18n import tr
from ..layers.reloading import reload_layers
from ..layers.sources import corner_arguments, worker_source
from .base import BackendAlgorithm
from .destinations import Destination
from .parameters import ADVANCED, static_enum

DEGREES = "EPSG:4326"


class CalibrateAlgorithm(BackendAlgorithm):
    """Calibrates with the product's own tables, removes thermal noise, and geocodes to UTM."""

    INPUT = "INPUT"
    PRODUCT = "PRODUCT"
    UNITS = "UNITS"
    PIXEL_SIZE = "PIXEL_SIZE"
    EXTENT = "EXTENT"
    DEM = "DEM"
    DEM_HEIGHTS = "DEM_HEIGHTS"
    OUTPUT = "OUTPUT"

    COMMAND = "calibrate"
    _dem: str | None = None
    _written = ""
    ICON = "calibrate.svg"
    HELP = ("sar-input", "sentinel-1-products-as-downloaded")

    def displayName(self) -> str:
        return tr("Calibrate Sentinel-1 GRD")

    def tags(self) -> list[str]:
        words = tr(
            "sar,sentinel-1,grd,safe,radar,calibration,sigma0,gamma0,backscatter,thermal noise,border noise,geocode,"
            "terrain correction,dem"
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
            "range-Doppler equations). Brightness is not corrected: slopes that face the radar are too bright. Where "
            "that matters, use a radiometrically terrain-corrected product (RTC), or the Sentinel Application Platform "
            "(SNAP).\n\n"
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
        self._add_elevation()
        self.add(
            QgsProcessingParameterRasterDestination(self.OUTPUT, tr("Backscatter map")),
            tr("Backscatter, a band for each polarisation (GeoTIFF)."),
        )

    def _add_elevation(self) -> None:
        self.add(
            QgsProcessingParameterRasterLayer(self.DEM, tr("Elevation model"), optional=True),
            tr(
                "Heights in metres or feet, in any CRS, such as tiles of the Copernicus DEM or SRTM. It should cover "
                "the scene: the result has no values where it has none. Without it there is no terrain correction."
            ),
        )
        heights = static_enum(self.DEM_HEIGHTS, tr("Heights above"), ("geoid", "ellipsoid"))
        heights.setFlags(heights.flags() | ADVANCED)
        self.add(
            heights,
            tr(
                "geoid: mean sea level, as in the Copernicus DEM, SRTM and most others (EGM96 is used). "
                "ellipsoid: the WGS 84 ellipsoid. The wrong choice displaces the result by tens of metres."
            ),
        )

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        """Read product and elevation model on the main thread, which owns the layers."""
        self.read_inputs(parameters, context, feedback)
        layer = self.parameterAsRasterLayer(parameters, self.DEM, context)
        if layer is None and parameters.get(self.DEM) not in (None, ""):
            raise QgsProcessingException(self.invalidRasterError(parameters, self.DEM))
        self._dem = worker_source(layer, feedback) if layer is not None else None
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> str:
        path = self.parameterAsString(parameters, self.INPUT, context)
        if not os.path.exists(path):
            raise QgsProcessingException(tr("There is no file or folder {}.").format(path))
        return os.path.abspath(path)

    def process(self, parameters, context, feedback) -> dict:
        output = self.parameterAsOutputLayer(parameters, self.OUTPUT, context)
        command = [*self.backend_command(), self.read_inputs(parameters, context, feedback), os.path.abspath(output)]
        command += ["--product", self.parameterAsEnumString(parameters, self.PRODUCT, context)]
        command += ["--units", self.parameterAsEnumString(parameters, self.UNITS, context)]
        if parameters.get(self.PIXEL_SIZE) not in (None, ""):
            command += ["--pixel-size", f"{self.parameterAsDouble(parameters, self.PIXEL_SIZE, context):.10g}"]
        if parameters.get(self.EXTENT) not in (None, ""):
            degrees = QgsCoordinateReferenceSystem(DEGREES)
            command += corner_arguments(self.parameterAsExtent(parameters, self.EXTENT, context, degrees))
        if self._dem is not None:
            # One word, since a path may begin with a dash.
            command += [f"--dem={self._dem}", "--dem-heights"]
            command += [self.parameterAsEnumString(parameters, self.DEM_HEIGHTS, context)]
        result = self.run_backend(command, feedback)
        Destination(self.OUTPUT, "").finish(output, context)
        feedback.pushInfo(tr("Bands: {}.").format(", ".join(result.get("polarisations", []))))
        self._written = output
        return {self.OUTPUT: output}

    def postProcessAlgorithm(self, context, feedback) -> dict:
        """Reload layers of an older result under this name."""
        reload_layers(context.project(), self._written)
        return {}
