"""Read the map and the reference of an accuracy assessment, and pass them to the backend."""

from __future__ import annotations

import re
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingUtils

from ..common.i18n import tr
from ..layers.geojson_export import write_geojson
from ..layers.legend import translated_names
from ..layers.sources import worker_source

# Field of the points of 'Samples to validate a class map', by which the backend knows their map.
MAP_CLASS = "map_class"
_NUMBERS = re.compile(r"\s*(-?\d+(\s*[,;\s]\s*-?\d+)*)?\s*")


class AccuracyInputs:
    """Map and reference, with the values to ignore in them.

    Attributes:
        map: The map of classes, as GDAL opens it in any process.
    """

    def __init__(self, algorithm: Any, parameters: dict, context: Any, feedback: Any) -> None:
        """Read the parameters of `algorithm` on the main thread, which owns the layers.

        Raises:
            QgsProcessingException: They can't be used.
        """
        layer = algorithm.raster(parameters, algorithm.INPUT, context)
        self.map = worker_source(layer, feedback)
        # The CRS of the file, which the backend reads, even if the layer has another one.
        self._crs = layer.dataProvider().crs()
        self._raster = self._field = ""
        self._vector: Any = None
        raster, vector = (
            parameters.get(name) not in (None, "") for name in (algorithm.REFERENCE, algorithm.REFERENCE_VECTOR)
        )
        if raster == vector:
            raise QgsProcessingException(tr("Give exactly one reference: a raster, or points or polygons."))
        self._ignored = {
            option: whole_numbers(algorithm, parameters, name, context)
            for name, option in (
                (algorithm.IGNORE_MAP, "--ignore-map"),
                (algorithm.IGNORE_REFERENCE, "--ignore-reference"),
            )
        }
        if raster:
            self._read_raster(algorithm, parameters, context, feedback)
        else:
            self._read_vector(algorithm, parameters, context)

    def _read_raster(self, algorithm: Any, parameters: dict, context: Any, feedback: Any) -> None:
        self._raster = worker_source(algorithm.raster(parameters, algorithm.REFERENCE, context), feedback)

    def _read_vector(self, algorithm: Any, parameters: dict, context: Any) -> None:
        self._vector = algorithm.features(parameters, algorithm.REFERENCE_VECTOR, context)
        self._field = algorithm.parameterAsString(parameters, algorithm.FIELD, context)
        if not self._field:
            raise QgsProcessingException(tr("Choose the field of the reference vector that holds the class."))

    def reference(self, context: Any, feedback: Any) -> str:
        """Return the source that the backend opens as reference; features are written to a temporary file.

        Raises:
            QgsProcessingException: Cancelled, or a feature can't be transformed to the map's CRS.
        """
        if self._vector is None:
            return self._raster
        path = QgsProcessingUtils.generateTempFilename("reference.geojson")
        count = write_geojson(self._vector, (self._field, MAP_CLASS), self._crs, path, context, feedback)
        feedback.pushInfo(tr("Features in the reference: {}.").format(count))
        return path

    def mapping(self, text: str) -> str:
        """Return the user's mapping; for a vector, with the names that a translated legend shows, as in "Bosque=10"."""
        if self._vector is None:
            return text
        said = {pair.partition("=")[0].strip().casefold() for pair in text.split(",")}
        names = translated_names(self.map).items()
        return ",".join([text, *(f"{n}={v}" for n, v in names if n.casefold() not in said)]).strip(",")

    def options(self) -> list[str]:
        """Return the backend's options that belong to the inputs."""
        options = [word for option, numbers in self._ignored.items() if numbers for word in (option, *numbers)]
        if self._vector is not None:
            options += [f"--field={self._field}", f"--reference-name={self._vector.sourceName()}"]
        return options


def whole_numbers(algorithm: Any, parameters: dict, name: str, context: Any) -> list[str]:
    """Return the whole numbers in a text parameter, as text.

    Raises:
        QgsProcessingException: It holds something else.
    """
    text = algorithm.parameterAsString(parameters, name, context)
    if not _NUMBERS.fullmatch(text):
        raise QgsProcessingException(
            tr("{name}: write whole numbers separated by commas, such as 0,255.").format(
                name=algorithm.parameterDefinition(name).description()
            )
        )
    return re.findall(r"-?\d+", text)
