"""Offer the choices of the last run as defaults in the dialogs of algorithms.

Only dialogs use these defaults. `qgis_process`, scripts and models use those that the algorithms declare.
"""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
    QgsSettings,
)

GROUP = "sardino/last"
OF_ONE_SCENE = "sardino_of_one_scene"  # key in the metadata of choices that are not remembered


def _key(algorithm: str, parameter: str) -> str:
    return f"{GROUP}/{algorithm}/{parameter}"


def _is_remembered(parameter: QgsProcessingParameterDefinition) -> bool:
    """Return whether `parameter` is a setting: inputs, extents and outputs belong to one scene and are not kept.

    Nor is the model: a map of the next scene by the model of another place would be wrong without a word.
    """
    kinds = (QgsProcessingParameterEnum, QgsProcessingParameterNumber)
    return isinstance(parameter, kinds) and not parameter.metadata().get(OF_ONE_SCENE)


def offer(algorithm: str, parameter: QgsProcessingParameterDefinition) -> None:
    """Make the last used value the default that dialogs show for `parameter`, if it is still acceptable.

    Args:
        algorithm: Name of the algorithm.
        parameter: A parameter of it, before it is added.
    """
    value = QgsSettings().value(_key(algorithm, parameter.name()))
    if value is not None and _is_remembered(parameter) and parameter.checkValueIsAcceptable(value):
        parameter.setGuiDefaultValueOverride(value)


def keep(algorithm: Any, values: dict[str, Any]) -> None:
    """Store the values of a run that differ from the declared defaults.

    Args:
        algorithm: A QgsProcessingAlgorithm.
        values: Value by parameter name.
    """
    settings = QgsSettings()
    for parameter in algorithm.parameterDefinitions():
        name = parameter.name()
        if name not in values or not _is_remembered(parameter):
            continue
        if values[name] == parameter.defaultValue() or values[name] in (None, ""):
            settings.remove(_key(algorithm.name(), name))
        else:
            settings.setValue(_key(algorithm.name(), name), str(values[name]))  # QgsSettings reads texts back
