"""Define `sardino:landcover`: make a land-cover map from a SAR raster."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingParameterMultipleLayers, QgsProcessingUtils

from ..common.backend_texts import backend_text
from ..common.i18n import tr
from ..layers.sources import worker_source
from ..layers.styling import StretchStyler
from .destinations import Destination
from .model_algorithm import ModelAlgorithm
from .parameters import RASTERS


class LandCoverAlgorithm(ModelAlgorithm):
    """Classify every valid pixel, optionally with confidence and class probabilities."""

    OUTPUT_CONFIDENCE = "OUTPUT_CONFIDENCE"
    OUTPUT_PROBABILITIES = "OUTPUT_PROBABILITIES"
    OUTPUT_AGREEMENT = "OUTPUT_AGREEMENT"
    DATES = "DATES"
    OUTPUT_MARGIN = "OUTPUT_MARGIN"
    OUTPUT_ENTROPY = "OUTPUT_ENTROPY"
    OUTPUT_DISAGREEMENT = "OUTPUT_DISAGREEMENT"
    OUTPUT_SURROUNDINGS = "OUTPUT_SURROUNDINGS"

    COMMAND = "landcover"
    ICON = "landcover.svg"
    HELP = ("algorithms", "land-cover-from-sar")
    DESTINATIONS = (
        Destination(ModelAlgorithm.OUTPUT, ""),
        Destination(OUTPUT_CONFIDENCE, "--confidence", StretchStyler),
        Destination(OUTPUT_PROBABILITIES, "--probabilities"),
        Destination(OUTPUT_AGREEMENT, "--agreement", StretchStyler),
        Destination(OUTPUT_MARGIN, "--margin", StretchStyler),
        Destination(OUTPUT_ENTROPY, "--entropy", StretchStyler),
        Destination(OUTPUT_DISAGREEMENT, "--disagreement", StretchStyler),
        Destination(OUTPUT_SURROUNDINGS, "--surroundings", StretchStyler),
    )

    def __init__(self) -> None:
        super().__init__()
        self._dates: list[str] = []

    def displayName(self) -> str:
        return tr("Land cover from SAR")

    def tags(self) -> list[str]:
        words = tr(
            "sar,sentinel-1,radar,backscatter,land cover,classification,segmentation,worldcover,dino,deep learning"
        )
        return words.split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Makes a land-cover map from Sentinel-1 backscatter (VV and VH) with a vision transformer that "
            "was pre-trained by self-distillation (DINO).\n\n"
            "The map has the grid and the CRS of the input, the legend of the model with names and colours, and no "
            "data where the input has none. Any extent works: the raster is read in tiles. The model runs in a "
            "Python process of its own, so PyTorch is not needed in QGIS.\n\n"
            "The bundled model has the four classes that one radar image can tell apart: Tree cover, Open land, "
            "Built-up, and Water or very smooth surface. Fields, grass, shrub and bare soil are one class, open land. "
            "Smooth bare fields, runways, smooth snow, sand and radar shadow look like water to a radar. For crops and "
            "other classes, use 'Train own classes from samples', or a model of several dates.\n\n"
            "A model is only as good as its training data; the model's card describes them and gives the "
            "accuracy on held-out places. Check the map at places that you know."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_inputs()
        self.add(
            QgsProcessingParameterMultipleLayers(self.DATES, tr("Further dates"), RASTERS, optional=True),
            tr(
                "Rasters of the same place on other dates, with VV and VH each; any unit, extent and grid. Each date "
                "is mapped, and the probabilities of all are joined: more accurate, with less speckle. Each takes as "
                "long as the first."
            ),
            advanced=True,
        )
        self.add_running()
        self.add_destination(self.OUTPUT, tr("Land cover"), tr("Class of each pixel (GeoTIFF with colours and names)."))
        self.add_destination(
            self.OUTPUT_CONFIDENCE,
            tr("Confidence"),
            tr("Probability of the chosen class. Models tend to be overconfident."),
            optional=True,
        )
        self.add_destination(
            self.OUTPUT_PROBABILITIES,
            tr("Class probabilities"),
            tr("One band per class of the model."),
            optional=True,
        )
        self.add_destination(
            self.OUTPUT_AGREEMENT,
            tr("Agreement of dates"),
            tr("With further dates: the share of the dates that have the class of the map by themselves, 0 to 1."),
            optional=True,
        )
        self._add_measures()

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, list[str]]:
        """Read the layers of further dates too."""
        found = super().read_inputs(parameters, context, feedback)
        dates = self.parameterAsLayerList(parameters, self.DATES, context)
        self._dates = [worker_source(layer, feedback) for layer in dates]
        return found

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        if self.OUTPUT_AGREEMENT in wanted and not self._dates:
            raise QgsProcessingException(tr("The agreement of dates needs further dates. Add some, or leave it out."))
        return [word for date in self._dates for word in ("--date", date)]

    def _add_measures(self) -> None:
        for name, description, text in (
            (
                self.OUTPUT_MARGIN,
                tr("Margin"),
                tr("Lead of the class over the next one, 0 to 1. 'Next samples to label' uses it."),
            ),
            (
                self.OUTPUT_ENTROPY,
                tr("Entropy"),
                tr("Entropy of the class probabilities: 0 where the model is certain, 1 where all classes are equal."),
            ),
            (
                self.OUTPUT_DISAGREEMENT,
                tr("Disagreement of tiles"),
                tr("How much overlapping tiles disagree, 0 to 1; no data where a pixel lies in one tile only."),
            ),
            (
                self.OUTPUT_SURROUNDINGS,
                tr("Surroundings of the same class"),
                tr("Share of the pixels within 150 m that have the class of the pixel. Specks are more often wrong."),
            ),
        ):
            self.add_destination(name, description, text, optional=True, advanced=True)

    def report(self, result: dict, feedback: Any) -> None:
        classes = [c for c in result.get("classes", []) if c.get("pixels")]
        total = sum(c["pixels"] for c in classes)
        for found in sorted(classes, key=lambda c: -c["pixels"]):
            share = 100 * found["pixels"] / total
            line = tr("{value:>4}  {name}: {pixels} px ({share:.1f} %)")
            name = backend_text(str(found["name"]))
            feedback.pushInfo(line.format(value=found["value"], name=name, pixels=found["pixels"], share=share))
        if not classes:
            feedback.pushWarning(tr("No pixel of the input is valid: the map is empty."))
        self._say_what_belongs_together(str(result.get("outputs", {}).get("output", "")), feedback)
        super().report(result, feedback)

    @staticmethod
    def _say_what_belongs_together(path: str, feedback: Any) -> None:
        """Name the files of a map that is kept: other programs read class names from the .aux.xml only."""
        beside = (f"{path}.aux.xml", f"{os.path.splitext(path)[0]}.qml")
        temporary = os.path.abspath(path).startswith(os.path.abspath(QgsProcessingUtils.tempFolder()))
        if not temporary and all(os.path.isfile(file) for file in beside):
            names = ", ".join(os.path.basename(file) for file in (path, *beside))
            feedback.pushInfo(tr("To copy the map, take its files together: {}.").format(names))
