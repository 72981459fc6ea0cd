"""Choices of the last run in a dialog, offered as defaults the next time; QGIS itself only keeps them in its history.

Defaults of the desktop's dialogs alone: `qgis_process`, scripts and models go by the algorithms' own.
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
REMEMBERED = "sardino_remembered"  # in the metadata of other parameters that are remembered


def _key(algorithm: str, parameter: str) -> str:
    return f"{GROUP}/{algorithm}/{parameter}"


def _is_remembered(parameter: QgsProcessingParameterDefinition) -> bool:
    """Whether it says how to work, and not with what: inputs, extents and outputs belong to one scene."""
    kinds = (QgsProcessingParameterEnum, QgsProcessingParameterNumber)
    return isinstance(parameter, kinds) or bool(parameter.metadata().get(REMEMBERED))


def offer(algorithm: str, parameter: QgsProcessingParameterDefinition) -> None:
    """Have dialogs show what was last used for `parameter` of `algorithm` (its name), where it is still acceptable."""
    value = QgsSettings().value(_key(algorithm, parameter.name()))
    if value is not None and _is_remembered(parameter) and parameter.checkValueIsAcceptable(value):
        parameter.setGuiDefaultValueOverride(value)


def keep(algorithm: Any, values: dict[str, Any]) -> None:
    """Keep the values of a run of `algorithm` (a QgsProcessingAlgorithm); its own defaults need no keeping."""
    settings = QgsSettings()
    for parameter in algorithm.parameterDefinitions():
        name = parameter.name()
        if name not in values or not _is_remembered(parameter):
            continue
        if values[name] == parameter.defaultValue() or values[name] in (None, ""):
            settings.remove(_key(algorithm.name(), name))
        else:
            settings.setValue(_key(algorithm.name(), name), str(values[name]))  # as it would come back from the file
