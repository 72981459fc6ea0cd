"""Define `sardino:trainclassifier`: learn the user's own classes from samples, and write a model folder."""

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
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from ..common.i18n import tr
from ..layers.geojson_export import category_styles, write_geojson
from ..layers.sources import worker_source
from ..models.installed import add_folder, find_model
from ..models.trained import chosen_folder, models_folder
from .destinations import Destination
from .model_algorithm import ModelAlgorithm
from .parameters import RASTERS


class TrainClassifierAlgorithm(ModelAlgorithm):
    """Fit a classifier on the frozen backbone to points or polygons with a class."""

    SAMPLES = "SAMPLES"
    FIELD = "FIELD"
    FURTHER_SCENES = "FURTHER_SCENES"
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
        self._styles: dict[str, dict[str, str]] = {}
        self._scenes: list[str] = []

    def displayName(self) -> str:
        return tr("Train own classes from samples")

    def tags(self) -> list[str]:
        return tr("sar,sentinel-1,radar,train,training,samples,classifier,supervised,own classes,dino").split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Learns your own classes from points or polygons that you drew over a SAR raster, in about a minute, and "
            "writes a model folder, which 'Land cover from SAR' then offers among its models.\n\n"
            "Draw samples of each class in several places, spread over the area to be mapped: a hundred small "
            "polygons are better than one large one. The accuracy in the log is measured on blocks of samples that "
            "are held out in turn; it applies to places like those of the samples, not to others.\n\n"
            "This is the way to crops and other classes that the bundled model doesn't have. Choose a date on which "
            "they look different: classes of equal backscatter can't be separated, whatever the samples.\n\n"
            "Classes that are whole numbers from 1 to 254 keep their values in the map; other classes get new values. "
            "If the layer is styled by categories of the field, the map has their names and colours."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_raster()
        kinds = [QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorPolygon]
        self.add(
            QgsProcessingParameterFeatureSource(self.SAMPLES, tr("Samples"), kinds),
            tr("Points or polygons, each of one class, in any CRS. A point stands for the pixel that it is in."),
        )
        self.add(
            QgsProcessingParameterField(self.FIELD, tr("Class field"), None, self.SAMPLES),
            tr("Field of the samples that holds the class, as a number or a text."),
        )
        self.add(
            QgsProcessingParameterMultipleLayers(
                self.FURTHER_SCENES, tr("Further scenes or dates"), RASTERS, optional=True
            ),
            tr(
                "Other rasters that samples lie in: neighbouring scenes, or other dates of the same place. Samples are "
                "used with every scene that they lie in; the log says which lie in none. Bands and units apply to all."
            ),
        )
        self.add_reading()
        self.add(
            QgsProcessingParameterString(self.TITLE, tr("Title of the model"), optional=True),
            tr("Title of the model in lists; the name of its folder if empty."),
        )
        self.add(
            QgsProcessingParameterBoolean(self.CHECK, tr("Measure the accuracy"), True),
            tr("Hold out samples block by block to measure the accuracy. This trains a few more classifiers."),
            advanced=True,
        )
        self.add_running(engine=False)
        self._add_outputs()

    def _add_outputs(self) -> None:
        self.add(
            QgsProcessingParameterFolderDestination(self.OUTPUT, tr("Model folder"), str(models_folder())),
            tr(
                "Folder to write the model into: a new one, or that of an older model, which is then replaced. In the "
                "folder 'models' of your QGIS profile, which is proposed, the model gets a new folder under its title, "
                "or under the name of the samples."
            ),
        )
        self.addOutput(QgsProcessingOutputNumber(self.ACCURACY, tr("Overall accuracy on held-out samples, 0 to 1")))
        self.addOutput(QgsProcessingOutputNumber(self.MEAN_IOU, tr("Mean IoU on held-out samples, 0 to 1")))
        self.addOutput(QgsProcessingOutputNumber(self.BLOCKS, tr("Spatial blocks of the samples")))

    # Running

    def checkParameterValues(self, parameters, context) -> tuple[bool, str]:
        """Check with the default folder where none is given: QGIS would refuse a script that leaves it out."""
        return super().checkParameterValues({self.OUTPUT: str(models_folder()), **parameters}, context)

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, list[str]]:
        """Read the samples and the style of their layer too."""
        found = super().read_inputs(parameters, context, feedback)
        self._source = self.features(parameters, self.SAMPLES, context)
        self._field = self.parameterAsString(parameters, self.FIELD, context)
        scenes = self.parameterAsLayerList(parameters, self.FURTHER_SCENES, context)
        self._scenes = [worker_source(scene, feedback) for scene in scenes]
        # The CRS of the file, which the backend reads, even if the layer has another one.
        self._crs = self.parameterAsRasterLayer(parameters, self.INPUT, context).dataProvider().crs()
        if self._scenes and self._source.sourceCrs().isValid():
            self._crs = self._source.sourceCrs()  # samples of another scene may have no place in that of the first
        if self._crs.isValid() and not self._source.sourceCrs().isValid():
            feedback.pushWarning(tr("The samples have no CRS; the CRS of the raster is assumed."))
        layer = self.parameterAsVectorLayer(parameters, self.SAMPLES, context)
        self._styles = category_styles(layer, self._field) if layer is not None else {}
        return found

    def process(self, parameters, context, feedback) -> dict:
        """Export the samples, and run the backend; return the folder and the accuracy."""
        # Asked once: for a temporary output QGIS returns another folder each time.
        title = self.parameterAsString(parameters, self.TITLE, context).strip()
        folder = self.parameterAsFileOutput(parameters, self.OUTPUT, context)
        folder = chosen_folder(folder, title or self._source.sourceName())
        temporary = os.path.abspath(folder).startswith(os.path.abspath(QgsProcessingUtils.tempFolder()))
        if temporary:
            feedback.pushWarning(tr("The model is written to a temporary folder, which QGIS deletes when it exits."))
        self._options += self._hand_over(context, feedback)
        try:
            found = super().process({**parameters, self.OUTPUT: folder}, context, feedback)
        except QgsProcessingException as refusal:
            # The user knows the layer, not the file that it was written to.
            raise QgsProcessingException(str(refusal).replace(self._samples, self._source.sourceName())) from refusal
        if not temporary:
            add_folder(folder)
        model = find_model(folder)
        feedback.pushInfo(
            tr("To map with it, choose the model '{title}' in 'Land cover from SAR'. Its folder: {folder}").format(
                title=model.title if model is not None else "", folder=folder
            )
        )
        return found

    def _hand_over(self, context: Any, feedback: Any) -> list[str]:
        """Write samples and their styles to files, and return the options that name them."""
        samples = self._samples = QgsProcessingUtils.generateTempFilename("samples.geojson")
        count = write_geojson(self._source, self._field, self._crs, samples, context, feedback)
        feedback.pushInfo(tr("Features in the samples: {}.").format(count))
        options = ["--samples", samples, f"--field={self._field}"]
        options += [word for scene in self._scenes for word in ("--also", scene)]
        if self._styles:
            legend = QgsProcessingUtils.generateTempFilename("legend.json")
            with open(legend, "w", encoding="utf-8") as file:
                json.dump(self._styles, file)
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
