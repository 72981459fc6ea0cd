"""Define `sardino:nextsamples`: choose the next samples to label for a user's own classes."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
)

from ...common.i18n import tr
from ...layers.geojson_export import write_geojson
from ...layers.sources import worker_source
from ..parameters import fraction, integer
from .point_layers import PointAlgorithm


class NextSamplesAlgorithm(PointAlgorithm):
    """Choose places where the map is least certain, far from each other and from the samples that there are."""

    SAMPLES = "SAMPLES"
    FIELD = "FIELD"
    COUNT = "COUNT"
    SHARE = "SHARE"

    COMMAND = "nextsamples"
    ICON = "nextsamples.svg"

    def __init__(self) -> None:
        super().__init__()
        self._source: Any = None
        self._field = ""
        self._crs: Any = None

    def displayName(self) -> str:
        return tr("Next samples to label")

    def tags(self) -> list[str]:
        words = tr("samples,training,active learning,uncertainty,margin,own classes,label,points,where to look next")
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Chooses places to label next for your own classes: where the map is least certain, far from each other "
            "and from the samples that you have.\n\n"
            "Train own classes from a few samples, map with them, and ask for the output 'Margin' (an advanced output "
            "of 'Land cover from SAR'). Give that raster and your samples here, fill in the class of the points that "
            "come out, add them to your samples, and train again.\n\n"
            "These places are chosen, not drawn at random: don't use them to measure the accuracy. For that there is "
            "'Samples to validate a class map'."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add(
            QgsProcessingParameterRasterLayer(self.INPUT, tr("Margin")),
            tr(
                "The output 'Margin' of 'Land cover from SAR'; confidence, entropy, disagreement and surroundings work "
                "too. Of other rasters, low values are taken as uncertain."
            ),
        )
        kinds = [QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorPolygon]
        self.add(
            QgsProcessingParameterFeatureSource(self.SAMPLES, tr("Samples that there are"), kinds, optional=True),
            tr("Points or polygons that are labelled already, in any CRS: new places are far from them."),
        )
        self.add(
            QgsProcessingParameterField(self.FIELD, tr("Field with the class"), None, self.SAMPLES, optional=True),
            tr("The new points get a field of that name, with the classes of the samples in a list."),
        )
        self.add(integer(self.COUNT, tr("Number of points"), 20, 1, 10_000), tr("How many places to choose."))
        self.add(
            fraction(self.SHARE, tr("Share of the map that is uncertain"), 0.25, 0.001, 1),
            tr("The places lie in that share of the map where it is least certain. With 1, only the distance counts."),
            advanced=True,
        )
        self.add_output(
            tr("Next samples"), tr("Points to fill in, with a form (GeoPackage, GeoJSON or another format).")
        )
        self.addOutput(QgsProcessingOutputNumber(self.POINTS, tr("Number of points")))

    def arguments(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        layer = self.raster(parameters, self.INPUT, context)
        self._source, self._field = None, ""
        if parameters.get(self.SAMPLES) not in (None, ""):
            self._source = self.features(parameters, self.SAMPLES, context)
            self._field = self.parameterAsString(parameters, self.FIELD, context)
            if not self._field:
                raise QgsProcessingException(tr("Choose the field of the samples that holds the class."))
        # The CRS of the file, which the backend reads, even if the layer has another one.
        self._crs = layer.dataProvider().crs()
        return [
            worker_source(layer, feedback),
            f"--count={self.parameterAsInt(parameters, self.COUNT, context)}",
            f"--share={self.parameterAsDouble(parameters, self.SHARE, context):g}",
        ]

    def hand_over(self, context: Any, feedback: Any) -> list[str]:
        """Write the samples to a file, and return the options that name it."""
        if self._source is None:
            return []
        path = QgsProcessingUtils.generateTempFilename("samples.geojson")
        if not write_geojson(self._source, self._field, self._crs, path, context, feedback):
            feedback.pushWarning(tr("The layer of samples has no features."))
            return []
        return ["--samples", path, f"--field={self._field}"]
