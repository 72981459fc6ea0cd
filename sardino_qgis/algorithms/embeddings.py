"""`sardino:embeddings`: the features by which the vision transformer tells places apart."""

from __future__ import annotations

from typing import Any

from ..common.i18n import tr
from .destinations import Destination
from .model_algorithm import ModelAlgorithm
from .parameters import static_enum


class EmbeddingsAlgorithm(ModelAlgorithm):
    """Tokens of the patches as bands, and a picture of their principal components."""

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
            "Writes the features that the vision transformer has found for every place, a band each (192 for the "
            "bundled model): input for a classifier or a clustering of your own.\n\n"
            "There is one set of features for each patch of the model, for the bundled model 8 x 8 pixels of 10 m. "
            "So the result has pixels of 80 m, with the CRS and the upper left corner of the input. That is all there "
            "is to know, and it is small: on the input's own grid the file is 64 times as large, and the values "
            "between the patches are interpolated.\n\n"
            "The picture shows the three directions in which the features of this scene differ most as red, green and "
            "blue. Places of one colour look alike to the model; colours of different scenes can't be compared."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_inputs()
        self.add(
            static_enum(self.GRID, tr("Grid"), ("patch", "input")),
            tr(
                "patch: a pixel for each patch of the model (80 m for the bundled model), in register with the input. "
                "input: the pixels of the input, interpolated; large, for tools that want equal grids."
            ),
        )
        self.add_block(tr("The block whose features are written, counted from 0; -1 is the last one."))
        self.add_running()
        self.add_destination(self.OUTPUT, tr("Embeddings"), tr("Features of each place, a band each (GeoTIFF)."))
        self.add_destination(
            self.OUTPUT_PCA,
            tr("Principal components"),
            tr("The first three principal components of the scene's features as red, green and blue."),
            optional=True,
        )

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        return [
            "--grid",
            self.parameterAsEnumString(parameters, self.GRID, context),
            "--block",
            str(self.parameterAsInt(parameters, self.BLOCK, context)),
        ]
