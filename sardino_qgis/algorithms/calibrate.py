"""`sardino:calibrate`: a Sentinel-1 GRD product as downloaded into a map of backscatter."""

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
from ..layers.sources import corner_arguments, worker_source
from .base import BackendAlgorithm
from .destinations import Destination
from .parameters import ADVANCED, static_enum

DEGREES = "EPSG:4326"


class CalibrateAlgorithm(BackendAlgorithm):
    """Calibration by the product's own tables, thermal noise removed, on a grid in UTM."""

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
            "In mountains and hills places are displaced towards the radar, by about as much as they are higher than "
            "their surroundings, or more. With an elevation model that covers the scene each place is put where it is "
            "(terrain correction by the range-Doppler equations). Brightness stays as it is: slopes that face the "
            "radar are brighter than they should be. Where that matters use a product that is corrected for it too "
            "(RTC), or the Sentinel Application Platform (SNAP).\n\n"
            "Land cover, Attention maps and the others take manifest.safe as their input too, and calibrate it by "
            "themselves; calibrating it once saves time where several maps are made. A whole IW product takes minutes, "
            "and about 8 GB of room on the disk, half of it for a while only."
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
                "gamma0: per area as seen by the radar, which depends less on its angle (the bundled model is made for "
                "it). sigma0: per area of ground."
            ),
        )
        self.add(
            static_enum(self.UNITS, tr("Units"), ("linear_power", "db")),
            tr("linear_power, which may be averaged and resampled; or db (decibels), as backscatter is mostly shown."),
        )
        kind = QgsProcessingParameterNumber.Type.Double
        size = QgsProcessingParameterNumber(
            self.PIXEL_SIZE, tr("Pixel size [m]"), kind, optional=True, minValue=1, maxValue=200
        )
        self.add(size, tr("Of the result, in metres; that of the product if empty (10 m for IW GRDH)."))
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
                "Heights in metres or feet, in any CRS, such as tiles of the Copernicus DEM or SRTM; it should cover "
                "the scene, for there are no values where it has no heights. Without it there is no terrain correction."
            ),
        )
        heights = static_enum(self.DEM_HEIGHTS, tr("Heights count from"), ("geoid", "ellipsoid"))
        heights.setFlags(heights.flags() | ADVANCED)
        self.add(
            heights,
            tr(
                "geoid: mean sea level, as those of the Copernicus DEM, SRTM and most others do (EGM96 is taken for "
                "it). ellipsoid: that of WGS 84. The wrong choice displaces what is shown by tens of metres."
            ),
        )

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        """Refuse what isn't there; layers are looked at here, in the thread that they belong to."""
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

    def processAlgorithm(self, parameters, context, feedback) -> dict:
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
            # One word, for a path may begin with a dash.
            command += [f"--dem={self._dem}", "--dem-heights"]
            command += [self.parameterAsEnumString(parameters, self.DEM_HEIGHTS, context)]
        result = self.run_backend(command, feedback)
        Destination(self.OUTPUT, "").finish(output, context)
        feedback.pushInfo(tr("Bands: {}.").format(", ".join(result.get("polarisations", []))))
        return {self.OUTPUT: output}
