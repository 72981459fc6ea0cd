"""Create the kinds of parameters that algorithms declare; list the values of common choices."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..common.i18n import tr

UNITS = ("auto", "db", "linear_power", "amplitude")
DEVICES = ("auto", "cpu", "cuda", "mps")
ENGINES = ("auto", "pytorch", "openvino", "openvino-int8")
ONNX_RUNTIME = "onnxruntime"  # not of the installations that the plugin offers: listed where the user's own has it
POLARISATIONS = ("auto", "VV", "VH", "HH", "HV")
HEADS = ("mean", "all", "log")
RASTERS = QgsProcessing.SourceType.TypeRaster
ADVANCED = QgsProcessingParameterDefinition.Flag.FlagAdvanced


def static_enum(name: str, description: str, values: tuple[str, ...]) -> QgsProcessingParameterEnum:
    """Create a choice whose values are strings, so that scripts don't depend on their order; the first is default."""
    parameter = QgsProcessingParameterEnum(name, description, list(values), defaultValue=values[0])
    parameter.setUsesStaticStrings(True)
    return parameter


def add_class_map(algorithm: Any, name: str) -> None:
    """Declare the class map that an algorithm works on."""
    algorithm.add(
        QgsProcessingParameterRasterLayer(name, tr("Map of classes")),
        tr("A raster of whole numbers, such as the output of Land cover; its first band is used."),
    )


def add_ignored(algorithm: Any, name: str, description: str) -> None:
    """Declare values of a class map to leave out."""
    algorithm.add(
        QgsProcessingParameterString(name, description, optional=True),
        tr("Values to leave out in addition to nodata, such as 0,255."),
        advanced=True,
    )


def add_seed(algorithm: Any, name: str) -> None:
    """Declare the seed of a random sample."""
    seed = integer(name, tr("Seed of the sample"), 0, 0, 2_147_483_647)
    algorithm.add(seed, tr("The same seed draws the same places."), advanced=True)


def add_units(algorithm: Any, name: str) -> None:
    """Declare the units of backscatter."""
    algorithm.add(
        static_enum(name, tr("Units"), UNITS),
        tr(
            "Units of the pixel values: db (decibels), linear_power (sigma0 or gamma0 as power), "
            "amplitude (its square root). auto decides from the values, and reports the decision in the log."
        ),
    )


def integer(name: str, description: str, default: int, low: int, high: int) -> QgsProcessingParameterNumber:
    """Create a whole number from `low` to `high`."""
    kind = QgsProcessingParameterNumber.Type.Integer
    return QgsProcessingParameterNumber(name, description, kind, default, minValue=low, maxValue=high)


def fraction(name: str, description: str, default: float, low: float, high: float) -> QgsProcessingParameterNumber:
    """Create a real number from `low` to `high`."""
    kind = QgsProcessingParameterNumber.Type.Double
    return QgsProcessingParameterNumber(name, description, kind, default, minValue=low, maxValue=high)
