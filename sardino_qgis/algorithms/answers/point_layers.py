"""Write the points of the backend in the format that the user asked for, with the form that asks for classes."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingParameterVectorDestination,
    QgsProcessingUtils,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from ...common.i18n import tr
from ..base import BackendAlgorithm
from ..destinations import Destination

POINTS = QgsProcessing.SourceType.TypeVectorPoint
GEOJSON = (".geojson", ".json")


class FormStyler(QgsProcessingLayerPostProcessorInterface):
    """Apply the style with the form, which Processing doesn't look for."""

    def postProcessLayer(self, layer, context, feedback) -> None:
        """Style `layer` after Processing has loaded it."""
        style = Path(layer.source().partition("|")[0]).with_suffix(".qml")
        if isinstance(layer, QgsVectorLayer) and style.is_file():
            layer.loadNamedStyle(str(style))
            layer.triggerRepaint()


class PointAlgorithm(BackendAlgorithm):
    """Choose points on a raster; a base class: subclasses declare parameters and give the arguments."""

    INPUT = "INPUT"
    OUTPUT = "OUTPUT"
    POINTS = "POINTS"

    HELP = ("sampling",)

    def __init__(self) -> None:
        super().__init__()
        self._arguments: list[str] = []

    def add_output(self, description: str, text: str) -> None:
        """Declare the point layer."""
        self.add(QgsProcessingParameterVectorDestination(self.OUTPUT, description, POINTS), text)

    def arguments(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        """Return the backend's arguments but for the output, the input first; called on the main thread.

        Raises:
            QgsProcessingException: A parameter can't be used.
        """
        raise NotImplementedError

    def hand_over(self, context: Any, feedback: Any) -> list[str]:
        """Write further files that the backend reads, and return the options that name them."""
        return []

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        self._arguments = self.read_inputs(parameters, context, feedback)
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        return self.arguments(parameters, context, feedback)

    def process(self, parameters, context, feedback) -> dict:
        """Run the backend; return the layer and the number of points."""
        path = os.path.abspath(self.parameterAsOutputLayer(parameters, self.OUTPUT, context))
        made = path
        if not path.lower().endswith(GEOJSON):
            made = QgsProcessingUtils.generateTempFilename("points.geojson")
        source, *options = [*self._arguments, *self.hand_over(context, feedback)]
        result = self.run_backend([*self.backend_command(), source, made, *options], feedback)
        if made != path:
            _convert(made, path, context)
        Destination(self.OUTPUT, "", FormStyler).finish(path, context)
        return {self.OUTPUT: path, self.POINTS: result.get("points", 0)}


def _convert(made: str, path: str, context: Any) -> None:
    """Copy a point layer and its style to another format; files get their names when all are complete.

    Raises:
        QgsProcessingException: The format isn't one that QGIS writes, or the file can't be written.
    """
    driver = QgsVectorFileWriter.driverForExtension(os.path.splitext(path)[1])
    if not driver:
        raise QgsProcessingException(
            tr("QGIS doesn't write vector files that end in '{}'.").format(os.path.splitext(path)[1])
        )
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = driver, Path(path).stem
    try:
        # On the same disk, so that files can be renamed. A Shapefile, for instance, is several.
        with tempfile.TemporaryDirectory(prefix=".sardino-", dir=os.path.dirname(path)) as scratch:
            unfinished = os.path.join(scratch, os.path.basename(path))
            layer = QgsVectorLayer(made, "points", "ogr")
            error, why = QgsVectorFileWriter.writeAsVectorFormatV3(
                layer, unfinished, context.transformContext(), options
            )[:2]
            del layer
            if error != QgsVectorFileWriter.WriterError.NoError:
                raise QgsProcessingException(tr("{path} can't be written: {why}").format(path=path, why=why))
            shutil.copyfile(Path(made).with_suffix(".qml"), Path(unfinished).with_suffix(".qml"))
            for part in sorted(os.listdir(scratch)):
                os.replace(os.path.join(scratch, part), os.path.join(os.path.dirname(path), part))
    except OSError as trouble:
        raise QgsProcessingException(
            tr("{path} can't be written: {why}").format(path=path, why=trouble.strerror)
        ) from trouble
