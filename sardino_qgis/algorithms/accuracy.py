"""`sardino:accuracy`: a map of classes against a reference, with areas and confidence intervals."""

from __future__ import annotations

import os
import re
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from ..common.i18n import tr
from ..layers.geojson_export import write_geojson
from ..layers.sources import worker_source
from .base import WorkerAlgorithm
from .parameters import integer

_NUMBERS = re.compile(r"\s*(-?\d+(\s*[,;\s]\s*-?\d+)*)?\s*")


class AccuracyAlgorithm(WorkerAlgorithm):
    """Confusion matrix and scores by pixels; estimates of accuracy and area where the reference is a sample."""

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
        """Parameters come with initAlgorithm."""
        super().__init__()
        self._map = self._reference = ""
        self._crs: Any = None
        self._source: Any = None

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Accuracy and areas of a class map")

    def tags(self) -> list[str]:
        """Words under which the toolbox finds it."""
        words = tr(
            "accuracy,assessment,validation,confusion matrix,error matrix,overall accuracy,iou,f1,precision,recall,"
            "area estimation,confidence interval,olofsson,stratified,land cover,classification,reference"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        """Help in the dialog."""
        return tr(
            "Compares a map of classes with a reference: another raster of classes, or points and polygons with a "
            "class each. The report (it opens in the Results Viewer) holds the confusion matrix, overall, user's and "
            "producer's accuracy, F1 and IoU by pixels, and areas in hectares.\n\n"
            "Where the reference is a sample, the report also holds accuracies and areas with 95 % confidence "
            "intervals by the stratified estimator of Olofsson et al. (2014), Remote Sensing of Environment 148, "
            "42-57: map classes are the strata, and their areas on the whole map are known. It assumes that the "
            "sample was drawn at random within each class (or over the whole map); places chosen by convenience "
            "make a map look better than it is. Each point is one sampling unit, and so is each polygon, with the "
            "map class of most of its pixels.\n\n"
            "A reference raster is compared pixel by pixel. This is no sample, and neighbouring pixels are not "
            "independent, so there are no intervals, unless a sample size is given: then as many places are drawn "
            "from it at random within each map class.\n\n"
            "Values are matched by value, names by name. Grids and coordinate systems may differ: the reference is "
            "brought to the map's grid with the nearest pixel. Nodata and ignored values are left out and counted."
        )

    def initAlgorithm(self, configuration=None) -> None:
        """Declare the parameters."""
        self._add_inputs()
        self.add(
            QgsProcessingParameterString(self.MAPPING, tr("Reference values in the map's legend"), optional=True),
            tr(
                "Where the reference has other values than the map: which reference value (or name, for vectors) means "
                "which map value, such as 1=80,2=10 or Forest=10. What isn't named stays as it is."
            ),
        )
        for name, description in (
            (self.IGNORE_MAP, tr("Values to ignore in the map")),
            (self.IGNORE_REFERENCE, tr("Values to ignore in the reference")),
        ):
            self.add(
                QgsProcessingParameterString(name, description, optional=True),
                tr("Values that don't count there, beside nodata, such as 0,255."),
                advanced=True,
            )
        self.add(
            integer(self.SAMPLE_SIZE, tr("Sample size (reference raster)"), 0, 0, 10_000_000),
            tr(
                "Places to draw at random from a reference raster, stratified by map class (at least 50 in each where "
                "the number allows, the rest by area), for estimates with confidence intervals. 0 draws none."
            ),
        )
        self.add(
            integer(self.SEED, tr("Seed of the sample"), 0, 0, 2_147_483_647),
            tr("The same seed draws the same places."),
            advanced=True,
        )
        self._add_outputs()

    def _add_inputs(self) -> None:
        self.add(
            QgsProcessingParameterRasterLayer(self.INPUT, tr("Map of classes")),
            tr("A raster of whole numbers, such as the output of Land cover; its first band is taken."),
        )
        self.add(
            QgsProcessingParameterRasterLayer(self.REFERENCE, tr("Reference raster"), optional=True),
            tr("A raster of classes that is held to be right. Give either this or a reference vector."),
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
            main = name == self.OUTPUT
            parameter = QgsProcessingParameterFileDestination(
                name, description, kinds, optional=not main, createByDefault=main
            )
            self.add(parameter, text)
        for name, description, _ in self._numbers():
            self.addOutput(QgsProcessingOutputNumber(name, description))

    @staticmethod
    def _numbers() -> tuple[tuple[str, str, str], ...]:
        """Number outputs: name, description, key in the worker's result."""
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
        """Read the layers on the main thread, where layers live."""
        self.read_inputs(parameters, context, feedback)
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> None:
        """Read the map and its reference, whichever of the two kinds that is."""
        layer = self.parameterAsRasterLayer(parameters, self.INPUT, context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, self.INPUT))
        self._map = worker_source(layer, feedback)
        # The file's own CRS, which is what the worker sees, whatever is set for the layer.
        self._crs = layer.dataProvider().crs()
        raster, vector = (parameters.get(name) not in (None, "") for name in (self.REFERENCE, self.REFERENCE_VECTOR))
        if raster == vector:
            raise QgsProcessingException(
                tr("Give either a reference raster or reference points or polygons, not both and not none.")
            )
        for name in (self.IGNORE_MAP, self.IGNORE_REFERENCE):
            if not _NUMBERS.fullmatch(self.parameterAsString(parameters, name, context)):
                raise QgsProcessingException(
                    tr("{name}: write whole numbers with commas, such as 0,255.").format(
                        name=self.parameterDefinition(name).description()
                    )
                )
        if raster:
            reference = self.parameterAsRasterLayer(parameters, self.REFERENCE, context)
            if reference is None:
                raise QgsProcessingException(self.invalidRasterError(parameters, self.REFERENCE))
            self._reference = worker_source(reference, feedback)
            return
        self._source = self.parameterAsSource(parameters, self.REFERENCE_VECTOR, context)
        if self._source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, self.REFERENCE_VECTOR))
        if not self.parameterAsString(parameters, self.FIELD, context):
            raise QgsProcessingException(tr("Name the field of the reference that holds the class."))

    def processAlgorithm(self, parameters, context, feedback) -> dict:
        """Run the worker; the paths of the outputs, and the main figures."""
        paths = {
            name: self.parameterAsFileOutput(parameters, name, context)
            for name in (self.OUTPUT, self.OUTPUT_JSON, self.OUTPUT_CSV)
        }
        paths = {name: os.path.abspath(path) for name, path in paths.items() if path}
        command = [*self.backend_command(), self._map]
        command += [self._hand_over(parameters, context, feedback), paths[self.OUTPUT]]
        command += self._options(parameters, context)
        for name, option in ((self.OUTPUT_JSON, "--json"), (self.OUTPUT_CSV, "--csv")):
            if name in paths:
                command += [option, paths[name]]
        result = self.run_backend([*command, "--progress", "json", "--overwrite"], feedback)
        figures = {name: result.get(key) for name, _, key in self._numbers() if result.get(key) is not None}
        for name, description, _ in self._numbers():
            if name in figures:
                feedback.pushInfo(f"{description}: {figures[name]:.6g}")
        return {**paths, **figures}

    def _hand_over(self, parameters: dict, context: Any, feedback: Any) -> str:
        """What the worker opens as the reference."""
        if self._source is None:
            return self._reference
        path = QgsProcessingUtils.generateTempFilename("reference.geojson")
        field = self.parameterAsString(parameters, self.FIELD, context)
        count = write_geojson(self._source, field, self._crs, path, context, feedback)
        feedback.pushInfo(tr("Features in the reference: {}.").format(count))
        return path

    def _options(self, parameters: dict, context: Any) -> list[str]:
        options = []
        mapping = self.parameterAsString(parameters, self.MAPPING, context).strip()
        if mapping:
            # One word: a mapping may begin with a minus.
            options.append(f"--remap={mapping}")
        for name, option in ((self.IGNORE_MAP, "--ignore-map"), (self.IGNORE_REFERENCE, "--ignore-reference")):
            numbers = re.findall(r"-?\d+", self.parameterAsString(parameters, name, context))
            options += [option, *numbers] if numbers else []
        if self._source is not None:
            options.append("--field=" + self.parameterAsString(parameters, self.FIELD, context))
            options.append("--reference-name=" + self._source.sourceName())
        size = self.parameterAsInt(parameters, self.SAMPLE_SIZE, context)
        if size:
            options += ["--sample", str(size), "--seed", str(self.parameterAsInt(parameters, self.SEED, context))]
        return options
