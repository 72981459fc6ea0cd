"""Define `sardino:change`: transitions between two class maps, their areas, and estimates from samples."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from ...common.i18n import tr
from ...layers.geojson_export import write_geojson
from ..accuracy_inputs import whole_numbers
from ..destinations import Destination
from ..parameters import add_ignored
from .two_dates import TwoDates


class ChangeAlgorithm(TwoDates):
    """Compare two class maps: from which class to which, where, and how much."""

    MAPPING = "MAPPING"
    IGNORE = "IGNORE"
    SAMPLES = "SAMPLES"
    FIELD_BEFORE = "FIELD_BEFORE"
    FIELD_AFTER = "FIELD_AFTER"
    FIELD_TRANSITION = "FIELD_TRANSITION"

    COMMAND = "change"
    ICON = "change.svg"
    HELP = ("change", "change-between-two-class-maps")
    DESTINATIONS = (Destination("OUTPUT", ""),)

    def __init__(self) -> None:
        super().__init__()
        self._samples: Any = None
        self._fields: dict[str, str] = {}
        self._ignored: list[str] = []
        self._crs: Any = None
        self._estimate: dict | None = None

    def displayName(self) -> str:
        return tr("Change between two class maps")

    def tags(self) -> list[str]:
        words = tr(
            "change,change detection,transition,from to,matrix,post-classification,deforestation,loss,gain,area,"
            "confidence interval,olofsson,before,after,land cover"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Compares two maps of classes of one place and writes a raster of transitions, such as Tree cover → Open "
            "land: unchanged classes are pale, changes are clear. The report shows both maps and the change side by "
            "side, and the matrix of areas from class to class.\n\n"
            "Grids and coordinate systems may differ: the later map is resampled to the earlier one's grid by nearest "
            "neighbour. Classes are matched by their names, or by value where a map has none. If one map has the four "
            "classes of the bundled model and the other those of ESA WorldCover, the latter are merged.\n\n"
            "Errors of both maps look like change: maps that are right in 90 % of their pixels may differ in up to "
            "20 % where nothing changed. With reference samples, places whose class is known at both dates, the report "
            "has areas of change with 95 % confidence intervals by the stratified estimator of Olofsson et al. (2014), "
            "Remote Sensing of Environment 148, 42-57, with the mapped transitions as strata. The samples should be "
            "drawn at random within each transition, or over the whole map."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_dates(
            tr("Class map before"),
            tr("Class map after"),
            tr("A raster of whole numbers, such as the output of Land cover; its first band is used."),
        )
        self._add_samples()
        self.add(
            QgsProcessingParameterString(self.MAPPING, tr("Classes of the later map"), optional=True),
            tr(
                "If the later map has other classes than the earlier one: pairs of its value or name and the value of "
                "the earlier map, such as 1=80,Forest=10."
            ),
            advanced=True,
        )
        add_ignored(self, self.IGNORE, tr("Values to ignore in both maps"))
        self.add_raster(
            self.OUTPUT,
            tr("Transitions"),
            tr("A raster with a number for each transition, named and coloured (GeoTIFF)."),
        )
        self.add_texts()
        self.addOutput(QgsProcessingOutputNumber("ESTIMATED_CHANGE", tr("Estimated area of change, unit as above")))
        self.addOutput(QgsProcessingOutputNumber("ESTIMATED_CHANGE_SE", tr("Standard error of the estimated area")))

    def _add_samples(self) -> None:
        points, areas = QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorPolygon
        self.add(
            QgsProcessingParameterFeatureSource(self.SAMPLES, tr("Reference samples"), [points, areas], optional=True),
            tr("Points or polygons whose class is known before and after, for areas with confidence intervals."),
        )
        for name, description, text in (
            (self.FIELD_BEFORE, tr("Field with the class before"), tr("Field of the samples: class value or name.")),
            (self.FIELD_AFTER, tr("Field with the class after"), tr("Field of the samples: class value or name.")),
            (
                self.FIELD_TRANSITION,
                tr("Field with the transition"),
                tr("Instead of the two fields: the number or name of the transition, such as Tree cover -> Open land."),
            ),
        ):
            field = QgsProcessingParameterField(name, description, None, self.SAMPLES, optional=True)
            self.add(field, text, advanced=name == self.FIELD_TRANSITION)

    # Running

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, str]:
        sources = super().read_inputs(parameters, context, feedback)
        self._read_samples(parameters, context)
        self._ignored = whole_numbers(self, parameters, self.IGNORE, context)
        # The CRS of the file, which the backend reads, even if the layer has another one.
        layer = self.parameterAsRasterLayer(parameters, self.BEFORE, context)
        self._crs = layer.dataProvider().crs()
        return sources

    def _read_samples(self, parameters: dict, context: Any) -> None:
        self._samples, self._fields = None, {}
        if parameters.get(self.SAMPLES) in (None, ""):
            return
        self._samples = self.features(parameters, self.SAMPLES, context)
        options = {
            "--before-field": self.FIELD_BEFORE,
            "--after-field": self.FIELD_AFTER,
            "--field": self.FIELD_TRANSITION,
        }
        named = {option: self.parameterAsString(parameters, name, context) for option, name in options.items()}
        self._fields = {option: name for option, name in named.items() if name}
        if set(self._fields) not in ({"--before-field", "--after-field"}, {"--field"}):
            raise QgsProcessingException(
                tr("Choose the fields of the samples with the class before and the class after, or one field with the "
                   "transition.")
            )  # fmt: skip

    def own_options(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        mapping = self.parameterAsString(parameters, self.MAPPING, context).strip()
        # One word: a mapping may begin with a minus.
        options = [f"--remap={mapping}"] if mapping else []
        return options + (["--ignore", *self._ignored] if self._ignored else [])

    def late_options(self, context: Any, feedback: Any) -> list[str]:
        if self._samples is None:
            return []
        path = QgsProcessingUtils.generateTempFilename("samples.geojson")
        count = write_geojson(self._samples, list(self._fields.values()), self._crs, path, context, feedback)
        feedback.pushInfo(tr("Reference samples: {}.").format(count))
        return ["--samples", path, *(f"{option}={name}" for option, name in self._fields.items())]

    def process(self, parameters, context, feedback) -> dict:
        self._estimate = None
        results = super().process(parameters, context, feedback)
        if self._estimate:
            results["ESTIMATED_CHANGE"] = self._estimate["estimate"]
            results["ESTIMATED_CHANGE_SE"] = self._estimate["standard_error"]
        return results

    def report(self, result: dict, feedback: Any) -> None:
        super().report(result, feedback)
        self._estimate = result.get("estimated_change")
        if self._estimate and result.get("area_unit") == "m2":
            low, high = (self._estimate[end] / 10_000 for end in ("low", "high"))
            feedback.pushInfo(
                tr("Estimated from the samples: {area:,.1f} ha changed (95 %: {low:,.1f} to {high:,.1f} ha).").format(
                    area=self._estimate["estimate"] / 10_000, low=low, high=high
                )
            )
