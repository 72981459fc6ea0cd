"""Declare the parameters that the algorithms which run a model share."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingOutputString,
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterExtent,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..common.i18n import tr
from ..common.last_used import OF_ONE_SCENE
from ..environment.kinds import has_package
from ..environment.locate import interpreter
from ..models.installed import installed_models
from .parameters import DEVICES, ENGINES, ONNX_RUNTIME, POLARISATIONS, RASTERS, add_units, integer, static_enum
from .slope_parameters import SlopeParameters


class ModelParameters(SlopeParameters):
    """Declare raster, model and engine parameters; a subclass calls the methods in the order of its dialog."""

    INPUT = "INPUT"
    FURTHER = "FURTHER"
    BANDS = "BANDS"
    POLARISATION = "POLARISATION"
    EXTENT = "EXTENT"
    UNITS = "UNITS"
    ACCEPT_VALUES = "ACCEPT_VALUES"
    BLOCK = "BLOCK"
    MODEL = "MODEL"
    DEVICE = "DEVICE"
    ENGINE = "ENGINE"
    BATCH_SIZE = "BATCH_SIZE"
    MODEL_USED = "MODEL_USED"
    DEVICE_USED = "DEVICE_USED"

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

        single = static_enum(self.POLARISATION, tr("Polarisation of a single band"), POLARISATIONS)
        single.setMetadata({OF_ONE_SCENE: True})
        self.add(
            single,
            tr(
                "The polarisation of a raster with one band, if no name says it. The model then runs without the "
                "others, and the map is less accurate. auto reads the names."
            ),
            advanced=True,
        )

    def add_reading(self) -> None:
        """Declare units and model."""
        add_units(self, self.UNITS)
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
        model.setMetadata({"widget_wrapper": {"class": f"{package}.gui.model_control.ModelControl"}})
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

    def block(self, parameters: dict, context: Any) -> list[str]:
        """Return the option for the block."""
        return ["--block", str(self.parameterAsInt(parameters, self.BLOCK, context))]

    def add_running(self, engine: bool = True) -> None:
        """Declare terrain, device, engine (if `engine`) and batch size, and the outputs that report them."""
        self.add_slopes(advanced=True)
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
        engines, more = ENGINES, ""
        if has_package(interpreter(), ONNX_RUNTIME):
            engines, more = (*ENGINES, ONNX_RUNTIME), " " + tr("onnxruntime: ONNX Runtime on a processor.")
        self.add(
            static_enum(self.ENGINE, tr("Engine"), engines),
            tr(
                "Library that runs the model. auto: OpenVINO on a processor if it is installed, otherwise PyTorch, "
                "with the same result. openvino-int8 computes in 8-bit integers: faster on many processors, with a "
                "slightly different map."
            )
            + more,
            advanced=True,
        )
