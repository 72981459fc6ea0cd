"""Define `sardino:polygons`: turn a class map into polygons with the names and colours of its legend."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterVectorDestination,
)

from ...common.i18n import tr
from ...layers.reloading import reload_polygons
from ...layers.sources import worker_source
from ...layers.vector_styling import PolygonStyler
from ..base import BackendAlgorithm
from ..destinations import Destination, Scene, finish
from ..parameters import add_class_map, fraction

ENDINGS = (".gpkg", ".geojson", ".json")
MOST = 1e12  # square metres, or metres


class PolygonsAlgorithm(BackendAlgorithm):
    """Turn a class map into polygons: small patches joined, borders simplified without gaps."""

    INPUT = "INPUT"
    CONFIDENCE = "CONFIDENCE"
    MIN_AREA = "MIN_AREA"
    SIMPLIFY = "SIMPLIFY"
    OUTPUT = "OUTPUT"
    POLYGONS = "POLYGONS"
    JOINED = "JOINED"

    COMMAND = "polygons"
    ICON = "polygons.svg"
    HELP = ("polygons-and-zones", "polygons-of-a-class-map")
    DESTINATIONS = (Destination(OUTPUT, "", PolygonStyler),)

    def __init__(self) -> None:
        super().__init__()
        self._map = self._confidence = self._name = self._id = ""

    def displayName(self) -> str:
        return tr("Polygons of a class map")

    def tags(self) -> list[str]:
        words = tr(
            "polygons,polygonize,vectorize,raster to vector,minimum mapping unit,sieve,simplify,generalize,topology,"
            "land cover,classification,geopackage,geojson"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Turns a map of classes into polygons, with the value and the name of the class, the area in square metres "
            "(on the ellipsoid) and, if a raster of confidence is given, its mean. The layer has the names and colours "
            "of the map's own legend.\n\n"
            "Patches below a minimum area can be joined to a neighbour: the one with which they have the longest "
            "common border, smallest patches first, never to pixels without data. An island of data that is too small "
            "stays.\n\n"
            "Borders can be simplified. Each border is simplified once, for both of its neighbours, so that there are "
            "no gaps or overlaps. The area is that of the pixels, which simplifying doesn't change.\n\n"
            "Without these two, polygons are those of GDAL's Polygonize (pixels that touch at a corner only are apart)."
            " Maps of any size are read in strips."
        )

    def initAlgorithm(self, configuration=None) -> None:
        add_class_map(self, self.INPUT)
        self.add(
            QgsProcessingParameterRasterLayer(self.CONFIDENCE, tr("Confidence of the map"), optional=True),
            tr("The confidence that Land cover wrote with the map: each polygon gets the mean of its pixels."),
        )
        self.add(
            fraction(self.MIN_AREA, tr("Minimum area (m²)"), 0.0, 0.0, MOST),
            tr("Smaller patches join the neighbour with which they have the longest border. 0 keeps all patches."),
        )
        self.add(
            fraction(self.SIMPLIFY, tr("Simplify borders by up to (m)"), 0.0, 0.0, MOST),
            tr(
                "Borders have fewer points, at most so far from the edges of the pixels; one and a half pixels smooth "
                "the stairs away. 0 keeps the edges of the pixels."
            ),
        )
        self.add(
            QgsProcessingParameterVectorDestination(
                self.OUTPUT, tr("Polygons"), QgsProcessing.SourceType.TypeVectorPolygon
            ),
            tr("GeoPackage (.gpkg) or GeoJSON (.geojson)."),
        )
        self.addOutput(QgsProcessingOutputNumber(self.POLYGONS, tr("Number of polygons")))
        self.addOutput(QgsProcessingOutputNumber(self.JOINED, tr("Number of patches that were joined to others")))

    # Running

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        self._map, self._confidence, self._name, self._id = self.read_inputs(parameters, context, feedback)
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, str, str, str]:
        """Return the sources of map and confidence (empty for none), and the name and id of the map's layer."""
        layer, confidence = self.raster(parameters, self.INPUT, context), ""
        if parameters.get(self.CONFIDENCE) not in (None, ""):
            confidence = worker_source(self.raster(parameters, self.CONFIDENCE, context), feedback)
        return worker_source(layer, feedback), confidence, layer.name(), layer.id()

    def process(self, parameters, context, feedback) -> dict:
        """Run the backend; return the path of the polygons and their number."""
        path = self.parameterAsOutputLayer(parameters, self.OUTPUT, context)
        if os.path.splitext(path)[1].lower() not in ENDINGS:
            raise QgsProcessingException(
                tr("Polygons are written as a file .gpkg or .geojson, not to '{}'. Choose such a file.").format(path)
            )
        command = [*self.backend_command(), self._map, os.path.abspath(path)]
        for name, option in ((self.MIN_AREA, "--min-area"), (self.SIMPLIFY, "--simplify")):
            value = self.parameterAsDouble(parameters, name, context)
            command += [option, f"{value:.10g}"] if value else []
        command += ["--confidence", self._confidence] if self._confidence else []
        result = self.run_backend(command, feedback)
        scene = Scene(
            self.displayName(), self._name, self._id, {self.OUTPUT: self.parameterDefinition(self.OUTPUT).description()}
        )
        finish(self.DESTINATIONS, {self.OUTPUT: path}, context, scene)
        found = {self.POLYGONS: result.get("polygons", 0), self.JOINED: result.get("joined", 0)}
        feedback.pushInfo(
            tr("Polygons: {polygons}. Patches joined to others: {joined}.").format(
                polygons=found[self.POLYGONS], joined=found[self.JOINED]
            )
        )
        for item in result.get("classes", []):
            area = item["area_m2"]
            size = f"{item['pixels']} px" if area is None else f"{area / 10_000:.2f} ha"
            text = tr("{name}: {polygons} polygons, {area}")
            feedback.pushInfo(text.format(name=item["name"], polygons=item["polygons"], area=size))
        self._written = [path]
        return {self.OUTPUT: path, **found}

    def postProcessAlgorithm(self, context, feedback) -> dict:
        """Reload layers of an older result under this name."""
        for path in self._written:
            reload_polygons(context.project(), path, PolygonStyler().style)
        return {}
