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
class Scene:
    """Describe the scene that results were made from.

    Attributes:
        title: Name of the algorithm.
        name: Name of the layer of the scene, and of the model unless it is the bundled one.
        layer_id: Its id.
        names: Name that QGIS gives the result of each destination parameter.
    """

    title: str
    name: str
    layer_id: str
    names: dict[str, str]


@dataclass(frozen=True)
class Destination:
    """Describe a result of the backend.

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

    def finish(self, path: str, context: Any, scene: Scene | None = None) -> tuple[Any, Any] | None:
        """Check that the backend wrote `path`; style and name it when QGIS loads it.

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
        if scene is not None:
            styler.made_from = scene.layer_id
            # A user, or a model of the designer, may have given it another name.
            if scene.name and details.name == scene.names.get(self.parameter):
                details.name = f"{details.name}: {scene.name}"
        details.setPostProcessor(styler)
        return details, styler


def finish(destinations: Sequence[Destination], paths: dict[str, str], context: Any, scene: Scene) -> None:
    """Finish all destinations that are in `paths` (by parameter); several that are loaded form a group.

    Raises:
        QgsProcessingException: A path does not exist.
    """
    wanted = [destination for destination in destinations if destination.parameter in paths]
    loaded = [done for done in (d.finish(paths[d.parameter], context, scene) for d in wanted) if done is not None]
    if len(loaded) > 1:
        group([details for details, _ in loaded], [styler for _, styler in loaded], f"{scene.title}: {scene.name}")
