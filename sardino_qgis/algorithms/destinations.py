"""Describe the files that an algorithm writes; check that they exist, and style them when QGIS loads them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingOutputLayerDefinition, QgsProperty

from ..common.i18n import tr
from ..layers.styling import QmlStyler, group, held


@dataclass(frozen=True)
class Destination:
    """A result of the backend.

    Attributes:
        parameter: Name of the destination parameter.
        option: The backend's option for the path; empty for the positional OUTPUT.
        styler: Class of the post-processor for a raster on the desktop.
        folder: Whether it is a folder instead of a raster.
    """

    parameter: str
    option: str
    styler: Any = QmlStyler
    folder: bool = False

    def path(self, algorithm: Any, parameters: dict, context: Any) -> str:
        """Return the path to write to; empty if the result isn't wanted."""
        given = parameters.get(self.parameter)
        if isinstance(given, QgsProcessingOutputLayerDefinition) and given.sink.staticValue() in ("", None):
            if given.sink.propertyType() == QgsProperty.Type.StaticProperty:
                return ""  # as batches give it; QGIS would try to load a layer without a name
        read = algorithm.parameterAsFileOutput if self.folder else algorithm.parameterAsOutputLayer
        return read(parameters, self.parameter, context)

    def finish(self, path: str, context: Any) -> tuple[Any, Any] | None:
        """Check that the backend wrote `path`, and style it when QGIS loads it.

        Returns:
            QgsProcessingContext.LayerDetails and post-processor of a result that will be loaded, else None.

        Raises:
            QgsProcessingException: `path` does not exist.
        """
        if not (os.path.isdir if self.folder else os.path.isfile)(path):
            raise QgsProcessingException(tr("The backend reported success, but {} does not exist.").format(path))
        if not context.willLoadLayerOnCompletion(path):
            return None
        details, styler = context.layerToLoadOnCompletionDetails(path), held(self.styler())
        details.setPostProcessor(styler)
        return details, styler


def finish(destinations: Sequence[Destination], paths: dict[str, str], context: Any, name: str) -> None:
    """Finish all destinations that are in `paths` (by parameter); several that are loaded form the group `name`.

    Raises:
        QgsProcessingException: A path does not exist.
    """
    wanted = [destination for destination in destinations if destination.parameter in paths]
    loaded = [done for done in (d.finish(paths[d.parameter], context) for d in wanted) if done is not None]
    if len(loaded) > 1:
        group([details for details, _ in loaded], [styler for _, styler in loaded], name)
