"""Define `sardino:embeddings`: write the embeddings of the vision transformer."""

from __future__ import annotations

from typing import Any

from ..common.i18n import tr
from .destinations import Destination
from .model_algorithm import ModelAlgorithm
from .parameters import static_enum


class EmbeddingsAlgorithm(ModelAlgorithm):
    """Write the tokens of the patches as bands, and a picture of their principal components."""

    GRID = "GRID"
    OUTPUT_PCA = "OUTPUT_PCA"

    COMMAND = "embed"
    ICON = "embeddings.svg"
    HELP = ("algorithms", "embeddings-from-sar")
    DESTINATIONS = (
        Destination(ModelAlgorithm.OUTPUT, ""),
        Destination(OUTPUT_PCA, "--pca"),
    )

    def name(self) -> str:
        return "embeddings"

    def displayName(self) -> str:
        return tr("Embeddings from SAR")

    def tags(self) -> list[str]:
        return tr("sar,sentinel-1,radar,embeddings,features,pca,vision transformer,vit,dino,self-supervised").split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Writes the features that the vision transformer computes for every place, one band each (192 for the "
            "bundled model), as input for your own classifier or clustering.\n\n"
            "There is one set of features for each patch of the model, for the bundled model 8 x 8 pixels of 10 m. "
            "So the result has pixels of 80 m, with the CRS and the upper left corner of the input. On the input's own "
            "grid the file is 64 times as large and holds no more information: values between patches are "
            "interpolated.\n\n"
            "The picture shows the first three principal components of this scene's features as red, green and blue. "
            "Places of one colour are similar to the model; colours of different scenes can't be compared."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_inputs()
        self.add(
            static_enum(self.GRID, tr("Grid"), ("patch", "input")),
            tr(
                "patch: one pixel for each patch of the model (80 m for the bundled model), aligned with the input. "
                "input: the pixels of the input, interpolated; large, for tools that need equal grids."
            ),
        )
        self.add_block(tr("The block whose features are written, counted from 0; -1 is the last one."))
        self.add_running()
        self.add_destination(self.OUTPUT, tr("Embeddings"), tr("Features of each place, one band each (GeoTIFF)."))
        self.add_destination(
            self.OUTPUT_PCA,
            tr("Principal components"),
            tr("The first three principal components of the scene's features as red, green and blue."),
            optional=True,
        )

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        return [*self.chosen(parameters, context, {"--grid": self.GRID}), *self.block(parameters, context)]
