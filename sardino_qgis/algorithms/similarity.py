"""Define `sardino:similarity`: map how similar every place is to given points."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterPoint,
)

from ..common.i18n import tr
from ..layers.overlays import SimilarityStyler
from ..layers.sources import point_arguments, points_of
from .destinations import Destination
from .model_algorithm import ModelAlgorithm
from .parameters import static_enum


class SimilarityAlgorithm(ModelAlgorithm):
    """Compute the cosine similarity of all tokens to those at some points."""

    POINT = "POINT"
    POINTS = "POINTS"
    GRID = "GRID"

    COMMAND = "similarity"
    ICON = "similarity.svg"
    HELP = ("algorithms", "similarity-to-places-from-sar")
    DESTINATIONS = (Destination(ModelAlgorithm.OUTPUT, "", SimilarityStyler),)

    def __init__(self) -> None:
        super().__init__()
        self._points: list[str] = []

    def displayName(self) -> str:
        return tr("Similarity to places from SAR")

    def tags(self) -> list[str]:
        words = tr("sar,sentinel-1,radar,similarity,search,find,cosine,embeddings,vision transformer,vit,dino")
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Shows how similar every place of the scene is to a point that you choose, or to the points of a layer: "
            "the cosine similarity of the vision transformer's features, from 1 for the point itself down to -1.\n\n"
            "With several points, each place gets its similarity to the most similar one. Points outside the raster, "
            "or where it has no data, are left out with a warning.\n\n"
            "Features belong to patches of the model (8 x 8 pixels of 10 m for the bundled one): objects much smaller "
            "than that can't be found. To try points by clicking, use the map tool in the menu SAR Land Cover (DINO)."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_inputs()
        self.add(
            QgsProcessingParameterPoint(self.POINT, tr("Point"), optional=True),
            tr("The place to compare others with, in any CRS. May be empty if there is a layer of points."),
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                self.POINTS, tr("Points"), [QgsProcessing.SourceType.TypeVectorPoint], optional=True
            ),
            tr("More such places: a layer of at most 100 points, or its selected points, in any CRS."),
        )
        self.add(
            static_enum(self.GRID, tr("Grid"), ("input", "patch")),
            tr(
                "input: the pixels of the input, with features interpolated between patches. patch: one pixel for each "
                "patch of the model (80 m for the bundled one), aligned with the input; smaller and faster."
            ),
        )
        self.add_block(tr("The block whose features are compared, counted from 0; -1 is the last one."))
        self.add_running()
        self.add_destination(self.OUTPUT, tr("Similarity"), tr("Cosine similarity, -1 to 1 (GeoTIFF)."))

    def checkParameterValues(self, parameters, context) -> tuple[bool, str]:
        if not any(parameters.get(name) not in (None, "") for name in (self.POINT, self.POINTS)):
            return False, tr("No place to compare with: give a point, or a layer of points.")
        return super().checkParameterValues(parameters, context)

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        super().prepareAlgorithm(parameters, context, feedback)
        crs = self.parameterAsRasterLayer(parameters, self.INPUT, context).crs()
        points = []
        if parameters.get(self.POINT) not in (None, ""):
            points.append(self.parameterAsPoint(parameters, self.POINT, context, crs))
        source = self.parameterAsSource(parameters, self.POINTS, context)
        if source is not None:
            points += points_of(source, crs, context.transformContext(), feedback)
        self._points = point_arguments(points)
        return True

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        if not self._points:  # not raised in prepareAlgorithm, whose exceptions QGIS shows in its log only
            raise QgsProcessingException(
                tr("The layer of points has no usable point. Choose another layer, or give a point.")
            )
        grid = self.chosen(parameters, context, {"--grid": self.GRID})
        return [*self._points, *grid, *self.block(parameters, context)]
