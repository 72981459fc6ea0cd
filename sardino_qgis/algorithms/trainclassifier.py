"""`sardino:trainclassifier`: classes of the user's own, learnt from samples, as a model folder."""

from __future__ import annotations

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
)

from ..samples import add_styles, write_samples
from ..translation import tr
from .base import Destination, SarDinoAlgorithm


class TrainClassifierAlgorithm(SarDinoAlgorithm):
    """Fits a classifier on the frozen backbone to points or polygons with a class."""

    SAMPLES = "SAMPLES"
    FIELD = "FIELD"
    TITLE = "TITLE"
    CHECK = "CHECK"
    ACCURACY = "ACCURACY"
    MEAN_IOU = "MEAN_IOU"

    COMMAND = "trainclassifier"
    PROGRAM = ("training.ownclasses",)
    ICON = "trainclassifier.svg"
    DESTINATIONS = (Destination(SarDinoAlgorithm.OUTPUT, "", folder=True),)

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Train own classes from samples")

    def tags(self) -> list[str]:
        """Words under which the toolbox finds it."""
        return tr("sar,sentinel-1,radar,train,training,samples,classifier,supervised,own classes,dino").split(",")

    def shortHelpString(self) -> str:
        """Help in the dialog."""
        return tr(
            "Learns classes of your own from points or polygons that you drew over a SAR raster, in a minute or so, "
            "and writes a model folder. Give that folder as the model to 'Land cover from SAR'.\n\n"
            "Draw samples of each class in several places, spread over the area to be mapped: a hundred small "
            "polygons teach more than one large one. The accuracy told in the log was measured on blocks of samples "
            "that were held out in turn; it holds for places like those of the samples, not for others.\n\n"
            "Whole numbers from 1 to 254 stay the values of the map; other classes get values of their own. If the "
            "layer is drawn by categories of the field, the map has their names and colours."
        )

    def initAlgorithm(self, configuration=None) -> None:
        """Declare the parameters."""
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
        self.add_running()
        self.add(
            QgsProcessingParameterFolderDestination(self.OUTPUT, tr("Model folder")),
            tr("Folder to write the model into: a new one, or that of an older model, which is then replaced."),
        )
        self.addOutput(QgsProcessingOutputNumber(self.ACCURACY, tr("Overall accuracy on held-out samples")))
        self.addOutput(QgsProcessingOutputNumber(self.MEAN_IOU, tr("Mean IoU on held-out samples")))

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        """Write the samples down on the main thread, where layers live."""
        super().prepareAlgorithm(parameters, context, feedback)
        source = self.parameterAsSource(parameters, self.SAMPLES, context)
        if source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, self.SAMPLES))
        field = self.parameterAsString(parameters, self.FIELD, context)
        raster = self.parameterAsRasterLayer(parameters, self.INPUT, context)
        path = write_samples(source, field, raster.dataProvider().crs(), context, feedback)
        layer = self.parameterAsVectorLayer(parameters, self.SAMPLES, context)
        if layer is not None:
            add_styles(path, layer, field)
        self._options += ["--samples", path, f"--field={field}"]
        return True

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        """Title, and whether the accuracy is measured."""
        title = self.parameterAsString(parameters, self.TITLE, context).strip()
        arguments = [f"--title={title}"] if title else []
        return arguments if self.parameterAsBool(parameters, self.CHECK, context) else [*arguments, "--no-check"]

    def facts(self, result: dict) -> dict:
        """The accuracy too, where it is known."""
        held_out = result.get("held_out", {})
        found = {self.ACCURACY: held_out.get("overall_accuracy"), self.MEAN_IOU: held_out.get("mean_iou")}
        return {**super().facts(result), **{name: value for name, value in found.items() if value is not None}}
