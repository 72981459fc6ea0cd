"""Define `sardino:samplingdesign`: draw the points by which a class map is to be validated."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingOutputNumber,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ...common.i18n import tr
from ...layers.sources import worker_source
from ..accuracy_inputs import whole_numbers
from ..parameters import add_class_map, add_ignored, add_seed, fraction, integer
from .point_layers import PointAlgorithm


class SamplingDesignAlgorithm(PointAlgorithm):
    """Draw points at random within the classes of a map, as many as a standard error needs."""

    STANDARD_ERROR = "STANDARD_ERROR"
    EXPECTED_ACCURACY = "EXPECTED_ACCURACY"
    EXPECTED = "EXPECTED"
    PER_CLASS = "PER_CLASS"
    DISTANCE = "DISTANCE"
    IGNORE_MAP = "IGNORE_MAP"
    SEED = "SEED"

    COMMAND = "samplingdesign"
    PROGRAM = ("backend", "design")
    ICON = "samplingdesign.svg"

    def displayName(self) -> str:
        return tr("Samples to validate a class map")

    def tags(self) -> list[str]:
        words = tr(
            "sampling,design,sample,validation,accuracy,stratified,random points,reference,allocation,olofsson,"
            "standard error,land cover"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Draws points at random within each class of a map: as many as are needed for the standard error that you "
            "want of the overall accuracy, by the good practices of Olofsson et al. (2014), Remote Sensing of "
            "Environment 148, 42-57. Rare classes get a fixed number of points, the others share the rest by area.\n\n"
            "Then label the points, one by one, from better images or in the field: switch the layer to editing, open "
            "its attribute table in the form view, and choose the true class in the field 'reference'. Leave it empty "
            "where you don't know. Points without a label are white. The class of the map is in the field 'map_class', "
            "which form and table hide: people who see it tend to agree with it.\n\n"
            "When all points are done, run 'Accuracy and areas of a class map' with the same map, this layer, and the "
            "field 'reference'. It gives accuracies and areas with confidence intervals. To draw new points for a new "
            "map, run this again: the points belong to the classes of this map."
        )

    def initAlgorithm(self, configuration=None) -> None:
        add_class_map(self, self.INPUT)
        self.add(
            fraction(self.STANDARD_ERROR, tr("Standard error of the overall accuracy"), 0.01, 0.001, 0.2),
            tr(
                "Half of the 95 % confidence interval to either side is twice this: with 0.01, an accuracy of 80 % is "
                "known to be between 78 % and 82 %. Half the standard error needs four times as many points."
            ),
        )
        self.add(
            fraction(self.EXPECTED_ACCURACY, tr("Accuracy expected of each class"), 0.8, 0.01, 0.99),
            tr(
                "Share of a mapped class that you expect to be correct (user's accuracy). The closer to 0.5, the more "
                "points are needed."
            ),
        )
        self.add(
            integer(self.PER_CLASS, tr("Points of a rare class"), 50, 2, 10_000),
            tr("Each class gets at least this number of points. 50 to 100 are advised."),
        )
        self._add_refinements()
        self.add_output(tr("Samples"), tr("Points to fill in, with a form (GeoPackage, GeoJSON or another format)."))
        self.addOutput(QgsProcessingOutputNumber(self.POINTS, tr("Number of points")))

    def _add_refinements(self) -> None:
        self.add(
            QgsProcessingParameterString(self.EXPECTED, tr("Accuracy expected of single classes"), optional=True),
            tr("Where classes differ: pairs of class (value or name) and share, such as 80=0.95,Built-up=0.6."),
            advanced=True,
        )
        kind = QgsProcessingParameterNumber.Type.Double
        self.add(
            QgsProcessingParameterNumber(
                self.DISTANCE, tr("Least distance of two points (m)"), kind, None, optional=True, minValue=0
            ),
            tr("In metres on the ground. If empty, five pixels of the map. 0 lets points lie on neighbouring pixels."),
            advanced=True,
        )
        add_ignored(self, self.IGNORE_MAP, tr("Values to ignore in the map"))
        add_seed(self, self.SEED)

    def arguments(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        layer = self.raster(parameters, self.INPUT, context)
        ignored = whole_numbers(self, parameters, self.IGNORE_MAP, context)
        options = [
            f"--standard-error={self.parameterAsDouble(parameters, self.STANDARD_ERROR, context):g}",
            f"--accuracy={self.parameterAsDouble(parameters, self.EXPECTED_ACCURACY, context):g}",
            f"--per-class={self.parameterAsInt(parameters, self.PER_CLASS, context)}",
            f"--seed={self.parameterAsInt(parameters, self.SEED, context)}",
        ]
        expected = self.parameterAsString(parameters, self.EXPECTED, context).strip()
        options += [f"--expected={expected}"] if expected else []
        if parameters.get(self.DISTANCE) not in (None, ""):
            options.append(f"--distance={self.parameterAsDouble(parameters, self.DISTANCE, context):.15g}")
        return [worker_source(layer, feedback), *options, *(["--ignore", *ignored] if ignored else [])]
