"""Define the base of the algorithms that run a model: the command, and the results."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingParameterRasterDestination

from ..common.i18n import tr
from ..layers.sources import check_crs, extent_arguments, several_files, worker_source
from ..models.installed import DEFAULT_MODEL, band_names, model_arguments
from .destinations import Destination, Scene, finish
from .model_parameters import ModelParameters
from .parameters import POLARISATIONS


class ModelAlgorithm(ModelParameters):
    """Run a model; a base class: a subclass sets command and destinations, and adds its own parameters."""

    WARM = True

    OUTPUT = "OUTPUT"

    DESTINATIONS: tuple[Destination, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self._input = self._layer_name = self._layer_id = ""
        self._options: list[str] = []

    def add_destination(
        self, name: str, description: str, text: str, optional: bool = False, advanced: bool = False
    ) -> None:
        """Declare a raster output; an optional one is written only on request."""
        self.add(
            QgsProcessingParameterRasterDestination(name, description, optional=optional, createByDefault=not optional),
            text,
            advanced,
        )

    # Running

    def checkParameterValues(self, parameters, context) -> tuple[bool, str]:
        """Check the input; advise what to give in place of a folder or pattern, which QGIS takes for a missing file."""
        good, why = super().checkParameterValues(parameters, context)
        return good, why if good else several_files(parameters.get(self.INPUT)) or why

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        """Return the options of this command only; `wanted` holds the destination parameters that are written."""
        return []

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        """Read layers and parameters on the main thread, which owns the layers."""
        self._input, options = self.read_inputs(parameters, context, feedback)
        options += model_arguments(self.parameterAsString(parameters, self.MODEL, context))
        options += self.chosen(parameters, context, {"--units": self.UNITS, "--device": self.DEVICE})
        if self.parameterAsBool(parameters, self.ACCEPT_VALUES, context):
            options.append("--accept-values")
        if self.parameterDefinition(self.ENGINE) is not None:
            options += self.chosen(parameters, context, {"--engine": self.ENGINE})
        options += self.slope_options(parameters, context, feedback)
        options += ["--batch-size", str(self.parameterAsInt(parameters, self.BATCH_SIZE, context))]
        self._options = options
        return True

    def _bands(self, parameters: dict, context: Any) -> list[int]:
        """Return the numbers for --bands, in the order of the model's bands, 0 for a missing one; [] for none."""
        bands = self.parameterAsInts(parameters, self.BANDS, context)
        single = self.parameterAsEnumString(parameters, self.POLARISATION, context)
        if single == POLARISATIONS[0]:
            return bands
        layer = self.parameterAsRasterLayer(parameters, self.INPUT, context)
        several = (
            len(bands) > 1
            or not bands
            and (layer.bandCount() > 1 or self.parameterAsLayerList(parameters, self.FURTHER, context))
        )
        if several:
            raise QgsProcessingException(
                tr("'{}' is for one band. Choose that band in 'Bands', or set the parameter to auto.").format(
                    tr("Polarisation of a single band")
                )
            )
        names = band_names(self.parameterAsString(parameters, self.MODEL, context))
        if single not in names:
            raise QgsProcessingException(
                tr("The model has no band {band}; it has {bands}. Choose another model or polarisation.").format(
                    band=single, bands=", ".join(names) or "?"
                )
            )
        return [(bands or [1])[0] if name == single else 0 for name in names]

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, list[str]]:
        """Return the source that the backend opens, and the options for bands, further rasters and extent."""
        layer = self.raster(parameters, self.INPUT, context)
        self.check_slopes(parameters, context)
        source = worker_source(layer, feedback)
        self._layer_name, self._layer_id = layer.name(), layer.id()
        check_crs(layer, feedback)
        bands = self._bands(parameters, context)
        options = ["--bands", *map(str, bands)] if bands else []
        for further in self.parameterAsLayerList(parameters, self.FURTHER, context):
            options += ["--with", worker_source(further, feedback)]
        if parameters.get(self.EXTENT) in (None, ""):
            return source, options
        extent = self.parameterAsExtent(parameters, self.EXTENT, context, layer.crs())
        return source, options + extent_arguments(extent, layer)

    def process(self, parameters, context, feedback) -> dict:
        """Run the backend; return the paths of the outputs, and the model and device that were used."""
        named = {each.parameter: each.path(self, parameters, context) for each in self.DESTINATIONS}
        paths = {parameter: path for parameter, path in named.items() if path}
        result = self.run_backend(self._command(parameters, context, paths), feedback)
        names = {name: self.parameterDefinition(name).description() for name in paths}
        # Maps of one scene by several models may be in the same project.
        model = str(result.get("model", DEFAULT_MODEL))
        scene = self._layer_name + (f" ({model})" if self._layer_name and model != DEFAULT_MODEL else "")
        finish(self.DESTINATIONS, paths, context, Scene(self.displayName(), scene, self._layer_id, names))
        self.report(result, feedback)
        self._written = list(paths.values())
        return {**paths, **self.facts(result)}

    def facts(self, result: dict) -> dict:
        """Return the outputs that are no files."""
        return {
            self.MODEL_USED: str(result.get("model", "")),
            self.DEVICE_USED: str(result.get("device", "")),
        }

    def report(self, result: dict, feedback: Any) -> None:
        """Write facts of the result event to the log."""
        seconds = result.get("seconds")
        if isinstance(seconds, (int, float)):
            feedback.pushInfo(tr("Done in {:.1f} s.").format(seconds))

    def _command(self, parameters: dict, context: Any, paths: dict[str, str]) -> list[str]:
        command = [*self.backend_command(), self._input, os.path.abspath(paths[self.OUTPUT])]
        for destination in self.DESTINATIONS:
            path = paths.get(destination.parameter)
            if destination.option and path:
                command += [destination.option, os.path.abspath(path)]
        command += self.own_arguments(parameters, context, frozenset(paths))
        return command + self._options
