"""Define `sardino:attention`: map the attention of the vision transformer."""

from __future__ import annotations

from typing import Any

from ..common.i18n import tr
from ..layers.overlays import AttentionStyler, MaskStyler
from .destinations import Destination
from .model_algorithm import ModelAlgorithm
from .parameters import HEADS, fraction, static_enum


class AttentionAlgorithm(ModelAlgorithm):
    """Map the attention of the class token to the patches of the scene."""

    HEADS = "HEADS"
    MASS = "MASS"
    OUTPUT_MASKS = "OUTPUT_MASKS"

    COMMAND = "attention"
    ICON = "attention.svg"
    HELP = ("algorithms", "attention-maps-from-sar")
    DESTINATIONS = (
        Destination(ModelAlgorithm.OUTPUT, "", AttentionStyler),
        Destination(OUTPUT_MASKS, "--masks", MaskStyler),
    )

    def displayName(self) -> str:
        return tr("Attention maps from SAR")

    def tags(self) -> list[str]:
        return tr("sar,sentinel-1,radar,attention,explain,vision transformer,vit,dino,self-supervised").split(",")

    def shortHelpString(self) -> str:
        return tr(
            "Shows where the vision transformer looks: the attention of its class token over the scene, as "
            "one layer (mean of the heads, or of their logarithms) or one band per head. Heads of a model trained by "
            "self-distillation (DINO) often pick out water, built-up areas or edges without ever having "
            "seen a label.\n\n"
            "1 means as much attention as if it were spread evenly over the tile, 2 twice as much; logarithms are "
            "below 0 in most places. The layer lies half transparent over the scene: bright places get much attention. "
            "Attention shows what the model weighs, not why; it is not a land-cover map."
        )

    def initAlgorithm(self, configuration=None) -> None:
        self.add_inputs()
        self.add(
            static_enum(self.HEADS, tr("Heads"), HEADS),
            tr(
                "mean: one band, the mean of all attention heads. all: one band per head, and their mean as the last. "
                "log: one band, the mean of the logarithms (base 2) of all heads, which shows areas where the mean "
                "shows spots."
            ),
        )
        self.add_block(tr("The block whose attention is shown, counted from 0; -1 is the last one."))
        self.add(
            fraction(self.MASS, tr("Attention mass of the masks"), 0.6, 0.05, 0.95),
            tr("Masks hold the places that together receive this share of the attention. Used for the masks only."),
            advanced=True,
        )
        self.add_running()
        self.add_destination(self.OUTPUT, tr("Attention"), tr("Attention relative to an even spread (GeoTIFF)."))
        self.add_destination(
            self.OUTPUT_MASKS,
            tr("Attention masks"),
            tr("1 where the attention mass lies, 0 elsewhere; always one band per head."),
            optional=True,
        )

    def own_arguments(self, parameters: dict, context: Any, wanted: frozenset[str]) -> list[str]:
        arguments = [*self.chosen(parameters, context, {"--heads": self.HEADS}), *self.block(parameters, context)]
        if self.OUTPUT_MASKS in wanted:
            arguments += ["--mass", str(self.parameterAsDouble(parameters, self.MASS, context))]
        return arguments
