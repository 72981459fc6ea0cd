"""Declare the parameters that say how the terrain under a Sentinel-1 product is taken into account."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import (
    QgsProcessingException,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFile,
    QgsProcessingParameterRasterLayer,
)

from ..common.i18n import tr
from ..layers.sources import worker_source
from .base import BackendAlgorithm
from .parameters import static_enum


class SlopeParameters(BackendAlgorithm):
    """Declare elevation model, orbits and terrain flattening; a subclass calls the methods."""

    DEM = "DEM"
    DEM_HEIGHTS = "DEM_HEIGHTS"
    ORBIT = "ORBIT"
    FLATTEN = "FLATTEN"
    MASK_NODATA = "MASK_NODATA"

    def add_slopes(self, advanced: bool) -> None:
        """Declare all of them; with `advanced`, among the advanced parameters, for inputs that may be no product."""
        product = tr("Only for a Sentinel-1 product as downloaded.") + " " if advanced else ""
        self.add(
            QgsProcessingParameterRasterLayer(self.DEM, tr("Elevation model"), optional=True),
            product
            + tr(
                "Heights in metres or feet, in any CRS, such as tiles of the Copernicus DEM or SRTM. It should cover "
                "the scene: the result has no values where it has none. Without it there is no terrain correction."
            ),
            advanced=advanced,
        )
        self.add(
            static_enum(self.DEM_HEIGHTS, tr("Heights above"), ("geoid", "ellipsoid")),
            tr(
                "geoid: mean sea level, as in the Copernicus DEM, SRTM and most others (EGM96 is used). "
                "ellipsoid: the WGS 84 ellipsoid. The wrong choice displaces the result by tens of metres."
            ),
            advanced=True,
        )
        self._add_corrections(advanced)

    def _add_corrections(self, advanced: bool) -> None:
        kinds = tr("Precise orbits (*.EOF *.eof *.zip)") + ";;" + tr("All files (*)")
        self.add(
            QgsProcessingParameterFile(self.ORBIT, tr("Precise orbits"), optional=True, fileFilter=kinds),
            tr(
                "File of orbits (EOF) of the satellite and day, which is used with the elevation model in place of the "
                "orbit in the product. The latter is accurate to a few metres; only old products gain from another."
            ),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean(self.FLATTEN, tr("Terrain flattening"), False),
            tr(
                "Corrects brightness for slopes, with the elevation model: backscatter is related to the area of the "
                "ground that the radar sees (terrain-flattened gamma0, Small 2011). Takes about twice as long."
            ),
            advanced=advanced,
        )
        self.add(
            QgsProcessingParameterBoolean(self.MASK_NODATA, tr("Layover and shadow as nodata"), False),
            tr(
                "Makes places nodata where, by the elevation model, several slopes share one echo (layover) or the "
                "radar sees nothing (shadow): values there say nothing about the ground."
            ),
            advanced=True,
        )

    def slope_options(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        """Return the options for the backend; read on the main thread, which owns the layer.

        Raises:
            QgsProcessingException: The elevation model can't be used, or is missing for what is asked for.
        """
        self.check_slopes(parameters, context)
        layer = self.parameterAsRasterLayer(parameters, self.DEM, context)
        if layer is None:
            return []
        # One word each, since a path may begin with a dash.
        options = [f"--dem={worker_source(layer, feedback)}"]
        options += self.chosen(parameters, context, {"--dem-heights": self.DEM_HEIGHTS})
        orbit = self.parameterAsString(parameters, self.ORBIT, context)
        options += [f"--orbit={os.path.abspath(orbit)}"] if orbit else []
        options += ["--flatten"] if self.parameterAsBool(parameters, self.FLATTEN, context) else []
        return options + (["--mask-nodata"] if self.parameterAsBool(parameters, self.MASK_NODATA, context) else [])

    def check_slopes(self, parameters: dict, context: Any) -> None:
        """Refuse an elevation model that can't be opened, and what needs one without it.

        Raises:
            QgsProcessingException: It is refused.
        """
        if parameters.get(self.DEM) not in (None, ""):
            self.raster(parameters, self.DEM, context)
            return
        wanting = self.wanting_elevation(parameters, context)
        if wanting:
            raise QgsProcessingException(
                tr("'{}' needs an elevation model: choose one in 'Elevation model', or leave that out.").format(
                    "', '".join(each.description() for each in wanting)
                )
            )

    def wanting_elevation(self, parameters: dict, context: Any) -> list[QgsProcessingParameterDefinition]:
        """Return the parameters that are set and need an elevation model."""
        checked = [name for name in (self.FLATTEN, self.MASK_NODATA) if self.parameterAsBool(parameters, name, context)]
        names = checked + [self.ORBIT] * bool(self.parameterAsString(parameters, self.ORBIT, context))
        return [self.parameterDefinition(name) for name in names]
