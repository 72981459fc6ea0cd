"""`sardino:trainclassifier`: classes of the user's own, learnt from samples, as a model folder."""

from __future__ import annotations

import json
import os
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from ..common.i18n import tr
from ..layers.geojson_export import category_looks, write_geojson
from ..models.installed import add_folder
from .destinations import Destination
from .model_algorithm import ModelAlgorithm


class TrainClassifierAlgorithm(ModelAlgorithm):
    """Fits a classifier on the frozen backbone to points or polygons with a class."""

    SAMPLES = "SAMPLES"
    FIELD = "FIELD"
    TITLE = "TITLE"
    CHECK = "CHECK"
    ACCURACY = "ACCURACY"
    MEAN_IOU = "MEAN_IOU"
    BLOCKS = "BLOCKS"

    COMMAND = "trainclassifier"
    PROGRAM = ("backend", "train")
    WARM = False
    ICON = "trainclassifier.svg"
    HELP = ("own-classes",)
    DESTINATIONS = (Destination(ModelAlgorithm.OUTPUT, "", folder=True),)

    def __init__(self) -> None:
        super().__init__()
        self._source: Any = None
        self._crs: Any = None
        self._field = ""
        self._looks: dict[str, dict[str, str]] = {}

    def displayName(self) -> str:
        return tr("Train own classes from samples")

    def tags(self) -> list[str]:
        return tr("sar,sentinel-1,radar,train,training,samples,classifier,supervised,own classes,dino").split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Learns classes of your own from points or polygons that you drew over a SAR raster, in a minute or so, "
            "and writes a model folder, which joins the models that 'Land cover from SAR' lets you choose from.\n\n"
            "Draw samples of each class in several places, spread over the area to be mapped: a hundred small "
            "polygons teach more than one large one. The accuracy told in the log was measured on blocks of samples "
            "that were held out in turn; it holds for places like those of the samples, not for others.\n\n"
            "Whole numbers from 1 to 254 stay the values of the map; other classes get values of their own. If the "
            "layer is drawn by categories of the field, the map has their names and colours."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_raster()
        kinds = [QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorPolygon]
        self.add(
            QgsProcessingParameterFeatureSource(self.SAMPLES, tr("Samples"), kinds),
            tr("Points or polygons, each of one class, in any CRS. A point stands for the pixel it lies in."),
        )
        self.add(
            QgsProcessingParameterField(self.FIELD, tr("Class field"), None, self.SAMPLES),
            tr("Field of the samples that holds the class, as a number or a text."),
        )
        self.add_reading()
        self.add(
            QgsProcessingParameterString(self.TITLE, tr("Title of the model"), optional=True),
            tr("Name under which people find the model; that of its folder if empty."),
        )
        self.add(
            QgsProcessingParameterBoolean(self.CHECK, tr("Measure the accuracy"), True),
            tr("Hold samples out, block by block, to tell how well the classes are found. Takes a few fits more."),
            advanced=True,
        )
        self.add_running(engine=False)
        self.add(
            QgsProcessingParameterFolderDestination(self.OUTPUT, tr("Model folder")),
            tr("Folder to write the model into: a new one, or that of an older model, which is then replaced."),
        )
        self.addOutput(QgsProcessingOutputNumber(self.ACCURACY, tr("Overall accuracy on held-out samples, 0 to 1")))
        self.addOutput(QgsProcessingOutputNumber(self.MEAN_IOU, tr("Mean IoU on held-out samples, 0 to 1")))
        self.addOutput(QgsProcessingOutputNumber(self.BLOCKS, tr("Spatial blocks that the samples lie in")))

    # Running

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, list[str]]:
        """Read the samples too, and how their layer is drawn."""
        found = super().read_inputs(parameters, context, feedback)
        self._source = self.parameterAsSource(parameters, self.SAMPLES, context)
        if self._source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, self.SAMPLES))
        self._field = self.parameterAsString(parameters, self.FIELD, context)
        # The file's own CRS, which is what the worker sees, whatever is set for the layer.
        self._crs = self.parameterAsRasterLayer(parameters, self.INPUT, context).dataProvider().crs()
        if self._crs.isValid() and not self._source.sourceCrs().isValid():
            feedback.pushWarning(tr("The samples have no CRS; that of the raster is taken."))
        layer = self.parameterAsVectorLayer(parameters, self.SAMPLES, context)
        self._looks = category_looks(layer, self._field) if layer is not None else {}
        return found

    def processAlgorithm(self, parameters, context, feedback) -> dict:
        """Hand the samples over, run the worker; the folder, and how well the classes were found."""
        folder = self.parameterAsFileOutput(parameters, self.OUTPUT, context)
        temporary = os.path.abspath(folder).startswith(os.path.abspath(QgsProcessingUtils.tempFolder()))
        if temporary:
            feedback.pushWarning(tr("The model goes into a temporary folder, which QGIS removes when it ends."))
        self._options += self._hand_over(context, feedback)
        found = super().processAlgorithm(parameters, context, feedback)
        if not temporary:
            add_folder(folder)
        feedback.pushInfo(tr("To map with it, choose this model in 'Land cover from SAR': {}").format(folder))
        return found

    def _hand_over(self, context: Any, feedback: Any) -> list[str]:
        """Samples and their looks as files, and the options that name them."""
        samples = QgsProcessingUtils.generateTempFilename("samples.geojson")
        count = write_geojson(self._source, self._field, self._crs, samples, context, feedback)
        feedback.pushInfo(tr("Features in the samples: {}.").format(count))
        options = ["--samples", samples, f"--field={self._field}"]
        if self._looks:
            legend = QgsProcessingUtils.generateTempFilename("legend.json")
            with open(legend, "w", encoding="utf-8") as file:
                json.dump(self._looks, file)
            options += ["--legend", legend]
        return options

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        title = self.parameterAsString(parameters, self.TITLE, context).strip()
        arguments = [f"--title={title}"] if title else []
        return arguments if self.parameterAsBool(parameters, self.CHECK, context) else [*arguments, "--no-check"]

    def facts(self, result: dict) -> dict:
        held_out = result.get("held_out", {})
        keys = {self.ACCURACY: "overall_accuracy", self.MEAN_IOU: "mean_iou", self.BLOCKS: "blocks"}
        known = {name: held_out[key] for name, key in keys.items() if held_out.get(key) is not None}
        return {**super().facts(result), **known}
