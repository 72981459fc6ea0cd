"""Define `sardino:zones`: area and share of each class of a map in polygons, with confidence intervals."""

from __future__ import annotations

import json
import os
from typing import Any

from qgis.core import (
    QgsFeature,
    QgsFeatureSink,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingUtils,
    QgsVectorLayer,
)

from ...common.cancelled import CancelledError
from ...common.i18n import tr
from ...layers.geojson_export import write_numbered
from ...layers.sources import worker_source
from ..base import BackendAlgorithm
from ..parameters import add_class_map

NUMBER = "number"  # property of the features that go to the backend and come back: the id in the source
_KINDS = {"integer": "int8", "real": "double", "text": "string"}  # types of QGIS's memory layers


class ZonesAlgorithm(BackendAlgorithm):
    """Measure the classes of a map in polygons; an accuracy report corrects their areas."""

    INPUT = "INPUT"
    ZONES = "ZONES"
    REPORT = "REPORT"
    OUTPUT = "OUTPUT"

    COMMAND = "zones"
    ICON = "zones.svg"
    HELP = ("polygons-and-zones", "areas-of-classes-in-polygons")

    def __init__(self) -> None:
        super().__init__()
        self._map = ""
        self._source: Any = None
        self._crs: Any = None

    def displayName(self) -> str:
        return tr("Areas of classes in polygons")

    def tags(self) -> list[str]:
        words = tr(
            "zonal statistics,zonal histogram,zones,area,share,percentage,hectares,land cover,parcels,districts,"
            "confidence interval,error-adjusted area,olofsson"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Measures the area and the share of each class of a map in your polygons, such as districts or parcels, "
            "and adds them as fields. A pixel counts where its centre lies in the polygon; areas are measured on the "
            "ellipsoid, and shares are parts of the area that has a class. Polygons may overlap.\n\n"
            "With an accuracy report of the map, each area also gets an estimate that is corrected by the errors of "
            "the map, with a 95 % confidence interval: the stratified estimator of Olofsson et al. (2014), Remote "
            "Sensing of Environment 148, 42-57, with the areas in the polygon as those of the strata. It assumes that "
            "the map is wrong as often, and in the same way, in every polygon as on the whole map. Where it isn't, "
            "intervals are too narrow, most of all in small polygons."
        )

    def initAlgorithm(self, configuration=None) -> None:
        add_class_map(self, self.INPUT)
        self.add(
            QgsProcessingParameterFeatureSource(self.ZONES, tr("Zones"), [QgsProcessing.SourceType.TypeVectorPolygon]),
            tr("Polygons in any CRS. Only the selected ones are measured if that is chosen."),
        )
        files = tr("JSON files (*.json)")
        self.add(
            QgsProcessingParameterFile(self.REPORT, tr("Accuracy report of the map"), optional=True, fileFilter=files),
            tr("The file 'All figures' of 'Accuracy and areas of a class map', made with a sample as reference."),
        )
        self.add(
            QgsProcessingParameterFeatureSink(
                self.OUTPUT, tr("Zones with areas"), QgsProcessing.SourceType.TypeVectorPolygon
            ),
            tr("The polygons with the fields added; a CSV file has the fields only."),
        )

    # Running

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        self._map, self._source, self._crs = self.read_inputs(parameters, context, feedback)
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, Any, Any]:
        """Return the source of the map, the polygons, and the CRS of the map's file."""
        layer = self.raster(parameters, self.INPUT, context)
        source = self.features(parameters, self.ZONES, context)
        return worker_source(layer, feedback), source, layer.dataProvider().crs()

    def process(self, parameters, context, feedback) -> dict:
        """Export the polygons, run the backend, and add its fields to the polygons."""
        zones = QgsProcessingUtils.generateTempFilename("zones.geojson")
        measured = QgsProcessingUtils.generateTempFilename("measured.geojson")
        count = write_numbered(self._source, NUMBER, self._crs, zones, context, feedback)
        if not count:
            raise QgsProcessingException(tr("There are no polygons to measure."))
        command = [*self.backend_command(), self._map, zones, measured]
        report = self.parameterAsFile(parameters, self.REPORT, context)
        command += ["--report", os.path.abspath(report)] if report else []
        result = self.run_backend(command, feedback)
        with open(measured, encoding="utf-8") as file:
            rows = {item["properties"][NUMBER]: item["properties"] for item in json.load(file)["features"]}
        # By a layer without rows, since types of fields have other names in each version of QGIS and Qt.
        wanted = "&".join(f"field={column['name']}:{_KINDS[column['kind']]}" for column in result["columns"])
        added = QgsVectorLayer(f"None?{wanted}", "", "memory").fields()
        fields = QgsProcessingUtils.combineFields(self._source.fields(), added)
        sink, output = self.parameterAsSink(
            parameters, self.OUTPUT, context, fields, self._source.wkbType(), self._source.sourceCrs()
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, self.OUTPUT))
        names = [column["name"] for column in result["columns"]]
        for feature in self._source.getFeatures():
            if feedback.isCanceled():
                raise CancelledError()
            row = rows.get(feature.id(), {})
            new = QgsFeature(fields)
            new.setGeometry(feature.geometry())
            new.setAttributes([*feature.attributes(), *(row.get(name) for name in names)])
            if not sink.addFeature(new, QgsFeatureSink.Flag.FastInsert):
                raise QgsProcessingException(self.writeFeatureError(sink, parameters, self.OUTPUT))
        return {self.OUTPUT: output}
