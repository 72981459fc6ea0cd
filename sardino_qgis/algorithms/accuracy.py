"""Define `sardino:accuracy`: compare a map of classes with a reference; areas and confidence intervals."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..common.i18n import tr
from .accuracy_inputs import AccuracyInputs
from .base import BackendAlgorithm
from .parameters import add_class_map, add_ignored, add_seed, integer


class AccuracyAlgorithm(BackendAlgorithm):
    """Compute confusion matrix and scores by pixels; estimates of accuracy and area if the reference is a sample."""

    INPUT = "INPUT"
    REFERENCE = "REFERENCE"
    REFERENCE_VECTOR = "REFERENCE_VECTOR"
    FIELD = "FIELD"
    MAPPING = "MAPPING"
    IGNORE_MAP = "IGNORE_MAP"
    IGNORE_REFERENCE = "IGNORE_REFERENCE"
    SAMPLE_SIZE = "SAMPLE_SIZE"
    SEED = "SEED"
    OUTPUT = "OUTPUT"
    OUTPUT_JSON = "OUTPUT_JSON"
    OUTPUT_CSV = "OUTPUT_CSV"

    COMMAND = "accuracy"
    ICON = "accuracy.svg"
    HELP = ("accuracy",)

    def __init__(self) -> None:
        super().__init__()
        self._inputs: AccuracyInputs | None = None

    def displayName(self) -> str:
        return tr("Accuracy and areas of a class map")

    def tags(self) -> list[str]:
        words = tr(
            "accuracy,assessment,validation,confusion matrix,error matrix,overall accuracy,iou,f1,precision,recall,"
            "area estimation,confidence interval,olofsson,stratified,land cover,classification,reference"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Compares a map of classes with a reference: another raster of classes, or points and polygons with a "
            "class each. The report (it opens in the Results Viewer) holds the confusion matrix, overall, user's and "
            "producer's accuracy, F1 and IoU by pixels, and areas in hectares.\n\n"
            "Where the reference is a sample, the report also holds accuracies and areas with 95 % confidence "
            "intervals by the stratified estimator of Olofsson et al. (2014), Remote Sensing of Environment 148, "
            "42-57: map classes are the strata, and their areas on the whole map are known. It assumes that the "
            "sample was drawn at random within each class (or over the whole map); places chosen by convenience "
            "overestimate the accuracy. Each point is one sampling unit, and so is each polygon, with the map class "
            "of most of its pixels.\n\n"
            "A reference raster is compared pixel by pixel. That is not a sample, and neighbouring pixels are not "
            "independent, so there are no intervals unless a sample size is given: then that many places are drawn "
            "from it at random within the map classes.\n\n"
            "Values are matched by value, names by name. Grids and coordinate systems may differ: the reference is "
            "resampled to the map's grid by nearest neighbour. Nodata and ignored values are left out and counted.\n\n"
            "A map with the four classes of the bundled model can be compared with ESA WorldCover as it is: reference "
            "values 20, 40, 60, 70, 90 and 100 count as open land (30), and 95 as tree cover (10). The report lists "
            "which values were merged."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self._add_inputs()
        self.add(
            QgsProcessingParameterString(self.MAPPING, tr("Reference to map values"), optional=True),
            tr(
                "If the reference uses other values than the map: pairs of reference value (or name, for vectors) and "
                "map value, such as 1=80,2=10 or Forest=10. Values that are not listed stay unchanged; those of ESA "
                "WorldCover are merged if the map has the four classes of the bundled model (40=40 keeps 40 apart)."
            ),
        )
        for name, description in (
            (self.IGNORE_MAP, tr("Values to ignore in the map")),
            (self.IGNORE_REFERENCE, tr("Values to ignore in the reference")),
        ):
            add_ignored(self, name, description)
        self.add(
            integer(self.SAMPLE_SIZE, tr("Sample size (reference raster)"), 0, 0, 10_000_000),
            tr(
                "Places to draw at random from a reference raster, stratified by map class (at least 50 in each where "
                "the number allows, the rest by area), for estimates with confidence intervals. 0 draws none."
            ),
        )
        add_seed(self, self.SEED)
        self._add_outputs()

    def _add_inputs(self) -> None:
        add_class_map(self, self.INPUT)
        self.add(
            QgsProcessingParameterRasterLayer(self.REFERENCE, tr("Reference raster"), optional=True),
            tr("A raster of classes that is taken as correct. Give either this or a reference vector."),
        )
        points, areas = QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorPolygon
        self.add(
            QgsProcessingParameterFeatureSource(
                self.REFERENCE_VECTOR, tr("Reference points or polygons"), [points, areas], optional=True
            ),
            tr("Points or polygons whose class is known. Give either this or a reference raster."),
        )
        self.add(
            QgsProcessingParameterField(
                self.FIELD, tr("Field with the class"), None, self.REFERENCE_VECTOR, optional=True
            ),
            tr("Field of the reference vector: class values of the map, or names as in the map's legend."),
        )

    def _add_outputs(self) -> None:
        for name, description, kinds, text in (
            (self.OUTPUT, tr("Report"), tr("HTML files (*.html)"), tr("The report, one page of HTML.")),
            (self.OUTPUT_JSON, tr("All figures"), tr("JSON files (*.json)"), tr("Every figure, for programs.")),
            (self.OUTPUT_CSV, tr("Matrix"), tr("CSV files (*.csv)"), tr("The confusion matrix by pixels.")),
        ):
            self.add_file(name, description, kinds, text, main=name == self.OUTPUT)
        self.add_numbers(self._numbers())

    @staticmethod
    def _numbers() -> tuple[tuple[str, str, str], ...]:
        """Return the number outputs: name, description, and key in the result event."""
        return (
            ("OVERALL_ACCURACY", tr("Overall accuracy by pixels, 0 to 1"), "overall_accuracy"),
            ("MEAN_IOU", tr("Mean IoU by pixels, 0 to 1"), "mean_iou"),
            ("MEAN_F1", tr("Mean F1 by pixels, 0 to 1"), "mean_f1"),
            ("PIXELS", tr("Pixels compared"), "pixels"),
            ("UNITS", tr("Sampling units"), "units"),
            ("ESTIMATED_OVERALL_ACCURACY", tr("Estimated overall accuracy, 0 to 1"), "estimated_overall_accuracy"),
            (
                "ESTIMATED_OVERALL_ACCURACY_SE",
                tr("Standard error of the estimated overall accuracy"),
                "estimated_overall_accuracy_se",
            ),
        )

    # Running

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        self._inputs = self.read_inputs(parameters, context, feedback)
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> AccuracyInputs:
        return AccuracyInputs(self, parameters, context, feedback)

    def process(self, parameters, context, feedback) -> dict:
        """Run the backend; return the paths of the outputs and the main figures."""
        names = (self.OUTPUT, self.OUTPUT_JSON, self.OUTPUT_CSV)
        paths = {name: self.parameterAsFileOutput(parameters, name, context) for name in names}
        paths = {name: os.path.abspath(path) for name, path in paths.items() if path}
        reference = self._inputs.reference(context, feedback)
        command = [*self.backend_command(), self._inputs.map, reference, paths[self.OUTPUT]]
        command += [*self._inputs.options(), *self._options(parameters, context)]
        for name, option in ((self.OUTPUT_JSON, "--json"), (self.OUTPUT_CSV, "--csv")):
            if name in paths:
                command += [option, paths[name]]
        result = self.run_backend(command, feedback)
        figures = {name: result.get(key) for name, _, key in self._numbers() if result.get(key) is not None}
        for name, description, _ in self._numbers():
            if name in figures:
                feedback.pushInfo(f"{description}: {figures[name]:.6g}")
        return {**paths, **figures}

    def _options(self, parameters: dict, context: Any) -> list[str]:
        mapping = self._inputs.mapping(self.parameterAsString(parameters, self.MAPPING, context).strip())
        # One word: a mapping may begin with a minus.
        options = [f"--remap={mapping}"] if mapping else []
        size = self.parameterAsInt(parameters, self.SAMPLE_SIZE, context)
        if size:
            options += ["--sample", str(size), "--seed", str(self.parameterAsInt(parameters, self.SEED, context))]
        return options
