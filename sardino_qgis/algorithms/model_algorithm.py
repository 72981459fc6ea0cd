"""Define the base of the algorithms that run a model: common parameters, the command, and the results."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputString,
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterExtent,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..common.i18n import tr
from ..common.last_used import REMEMBERED
from ..layers.sources import check_crs, extent_arguments, several_files, worker_source
from ..models.installed import installed_models, model_arguments
from .base import BackendAlgorithm
from .destinations import Destination, finish
from .parameters import DEVICES, ENGINES, RASTERS, UNITS, integer, static_enum


class ModelAlgorithm(BackendAlgorithm):
    """Base of algorithms that run a model. A subclass sets command and destinations, and adds its own parameters."""

    WARM = True

    INPUT = "INPUT"
    FURTHER = "FURTHER"
    BANDS = "BANDS"
    EXTENT = "EXTENT"
    UNITS = "UNITS"
    ACCEPT_VALUES = "ACCEPT_VALUES"
    BLOCK = "BLOCK"
    MODEL = "MODEL"
    OUTPUT = "OUTPUT"
    DEVICE = "DEVICE"
    ENGINE = "ENGINE"
    BATCH_SIZE = "BATCH_SIZE"
    MODEL_USED = "MODEL_USED"
    DEVICE_USED = "DEVICE_USED"

    DESTINATIONS: tuple[Destination, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self._input = self._layer_name = ""
        self._options: list[str] = []

    # Parameters

    def add_inputs(self) -> None:
        """Declare raster, extent, units and model."""
        self.add_raster()
        self.add(
            QgsProcessingParameterExtent(self.EXTENT, tr("Extent"), optional=True),
            tr("Only this part of the raster is mapped, snapped to whole pixels; all of it if empty. Any CRS."),
        )
        self.add_reading()

    def add_raster(self) -> None:
        """Declare the raster and its bands."""
        self.add(
            QgsProcessingParameterRasterLayer(self.INPUT, tr("SAR raster")),
            tr(
                "Sentinel-1 or similar backscatter in a raster file, in dB, linear power or amplitude. Or "
                "manifest.safe of a Sentinel-1 GRD product as downloaded, which is calibrated first."
            ),
        )
        self.add(
            QgsProcessingParameterMultipleLayers(
                self.FURTHER, tr("Further rasters of the scene"), RASTERS, optional=True
            ),
            tr(
                "If each polarisation is in a separate file: the other files, on the same grid. Their bands follow "
                "those of the SAR raster. Bands are found by their descriptions, or by VV and VH in the file names."
            ),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBand(self.BANDS, tr("Bands"), None, self.INPUT, optional=True, allowMultiple=True),
            tr(
                "Bands of the raster in the order of the model's bands (for the bundled model VV, VH). "
                "If empty, they are found by their descriptions, or else the first ones are used."
            ),
        )

    def add_reading(self) -> None:
        """Declare units and model."""
        self.add(
            static_enum(self.UNITS, tr("Units"), UNITS),
            tr(
                "Units of the pixel values: db (decibels), linear_power (sigma0 or gamma0 as power), "
                "amplitude (its square root). auto decides from the values, and reports the decision in the log."
            ),
        )
        self.add(
            QgsProcessingParameterBoolean(self.ACCEPT_VALUES, tr("Accept implausible values"), False),
            tr(
                "Values that can't be backscatter, such as values scaled to 0…1 or coherence, are refused. "
                "Check this box to map them anyway; the log and the file say so."
            ),
            advanced=True,
        )
        model = QgsProcessingParameterString(self.MODEL, tr("Model"), optional=True)
        package = __name__.rpartition(".algorithms")[0]
        model.setMetadata({"widget_wrapper": {"class": f"{package}.gui.model_control.ModelControl"}, REMEMBERED: True})
        names = ", ".join(installed.value for installed in installed_models()) or tr("none")
        self.add(
            model,
            tr(
                "Name of an installed model, or the path of a model folder (one that holds card.json and "
                "model.safetensors). The default model if empty. Installed: {}. More are added in the menu Plugins > "
                "SAR Land Cover (DINO) > Models…"
            ).format(names),
        )

    def add_block(self, text: str) -> None:
        """Declare the block of the transformer whose output is used; `text` is its help."""
        self.add(integer(self.BLOCK, tr("Transformer block"), -1, -1, 99), text, advanced=True)

    def add_running(self, engine: bool = True) -> None:
        """Declare device, engine (if `engine`) and batch size, and the outputs that report them."""
        self.add(
            static_enum(self.DEVICE, tr("Device"), DEVICES),
            tr("Where the model runs; auto uses a GPU if a usable one is found (cuda: NVIDIA or AMD, mps: Apple)."),
            advanced=True,
        )
        if engine:
            self._add_engine()
        self.add(
            integer(self.BATCH_SIZE, tr("Batch size"), 0, 0, 1024),
            tr("Tiles per batch; 0 chooses by device. Smaller batches need less memory."),
            advanced=True,
        )
        self.addOutput(QgsProcessingOutputString(self.MODEL_USED, tr("Model used")))
        self.addOutput(QgsProcessingOutputString(self.DEVICE_USED, tr("Device used")))

    def _add_engine(self) -> None:
        self.add(
            static_enum(self.ENGINE, tr("Engine"), ENGINES),
            tr(
                "Library that runs the model. auto: OpenVINO on a processor if it is installed, otherwise PyTorch, "
                "with the same result. openvino-int8 computes in 8-bit integers: two to three times as fast on many "
                "processors, with a slightly different map."
            ),
            advanced=True,
        )

    def add_destination(self, name: str, description: str, text: str, optional: bool = False) -> None:
        """Declare a raster output; an optional one is written only on request."""
        self.add(
            QgsProcessingParameterRasterDestination(name, description, optional=optional, createByDefault=not optional),
            text,
        )

    # Running

    def checkParameterValues(self, parameters, context) -> tuple[bool, str]:
        """Say what to give in place of a folder or a pattern, which QGIS takes for a file that isn't there."""
        good, why = super().checkParameterValues(parameters, context)
        return good, why if good else several_files(parameters.get(self.INPUT)) or why

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        """Return the options of this command only; `wanted` holds the destination parameters that are written."""
        return []

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        """Read layers and parameters on the main thread, which owns the layers."""
        self._input, options = self.read_inputs(parameters, context, feedback)
        options += model_arguments(self.parameterAsString(parameters, self.MODEL, context))
        bands = self.parameterAsInts(parameters, self.BANDS, context)
        if bands:
            options += ["--bands", *map(str, bands)]
        options += ["--units", self.parameterAsEnumString(parameters, self.UNITS, context)]
        if self.parameterAsBool(parameters, self.ACCEPT_VALUES, context):
            options.append("--accept-values")
        options += ["--device", self.parameterAsEnumString(parameters, self.DEVICE, context)]
        if self.parameterDefinition(self.ENGINE) is not None:
            options += ["--engine", self.parameterAsEnumString(parameters, self.ENGINE, context)]
        options += ["--batch-size", str(self.parameterAsInt(parameters, self.BATCH_SIZE, context))]
        self._options = options
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, list[str]]:
        """Return the source that the backend opens, and the options for further rasters and extent."""
        layer = self.parameterAsRasterLayer(parameters, self.INPUT, context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, self.INPUT))
        source = worker_source(layer, feedback)
        self._layer_name = layer.name()
        check_crs(layer, feedback)
        options = []
        for further in self.parameterAsLayerList(parameters, self.FURTHER, context):
            options += ["--with", worker_source(further, feedback)]
        if parameters.get(self.EXTENT) in (None, ""):
            return source, options
        extent = self.parameterAsExtent(parameters, self.EXTENT, context, layer.crs())
        return source, options + extent_arguments(extent, layer)

    def processAlgorithm(self, parameters, context, feedback) -> dict:
        """Run the backend; return the paths of the outputs, and the model and device that were used."""
        named = {each.parameter: each.path(self, parameters, context) for each in self.DESTINATIONS}
        paths = {parameter: path for parameter, path in named.items() if path}
        result = self.run_backend(self._command(parameters, context, paths), feedback)
        finish(self.DESTINATIONS, paths, context, f"{self.displayName()}: {self._layer_name}")
        self.report(result, feedback)
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
