"""How results look when the desktop opens them. Files carry their own colours; `qgis_process` needs none of this."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsColorRampShader,
    QgsGradientColorRamp,
    QgsGradientStop,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRectangle,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

from .layer_metadata import describe

LOWER, UPPER = 0.02, 0.98  # cumulative cut, as QGIS's own default for rasters
SAMPLE_PIXELS = 250_000
# Magma of matplotlib (CC0), at equal steps: dark where attention is low, legible in grey and for the colour-blind.
_MAGMA = ("#000004", "#3b0f70", "#8c2981", "#de4968", "#fe9f6d", "#fcfdbf")


def magma() -> QgsGradientColorRamp:
    """A perceptually even ramp from dark to light."""
    last = len(_MAGMA) - 1
    stops = [QgsGradientStop(i / last, QColor(_MAGMA[i])) for i in range(1, last)]
    return QgsGradientColorRamp(QColor(_MAGMA[0]), QColor(_MAGMA[-1]), False, stops)


def apply_qml(layer: Any) -> bool:
    """Apply the style file beside the layer's file; whether there is a good one.

    Processing opens its results without looking for it, unlike the rest of QGIS.
    """
    style = Path(layer.source()).with_suffix(".qml")
    if not style.is_file():
        return False
    _, good = layer.loadNamedStyle(str(style))
    return bool(good)


def stretch(layer: Any, band: int = 1) -> None:
    """Show one band with a colour ramp between its 2nd and 98th percentile."""
    low, high = layer.dataProvider().cumulativeCut(band, LOWER, UPPER, QgsRectangle(), SAMPLE_PIXELS)
    if not low < high:
        return  # one value or none: nothing to stretch
    colours = QgsColorRampShader(low, high, magma(), QgsColorRampShader.Type.Interpolated)
    colours.classifyColorRamp(255, band, QgsRectangle(), layer.dataProvider())
    shader = QgsRasterShader(low, high)
    shader.setRasterShaderFunction(colours)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), band, shader)
    renderer.setClassificationMin(low)
    renderer.setClassificationMax(high)
    layer.setRenderer(renderer)


def group(results: Sequence[Any], name: str) -> None:
    """Have results loaded into a group of the layer tree (QGIS 3.32 and later; before, they lie side by side).

    Args:
        results: QgsProcessingContext.LayerDetails of each result; the first is to lie on top.
        name: Of the group, unless the user or a model named one.
    """
    for height, details in enumerate(reversed(results), 1):
        if hasattr(details, "groupName") and not details.groupName:
            details.groupName = name
        if hasattr(details, "layerSortKey") and not details.layerSortKey:
            details.layerSortKey = height


class QmlStyler(QgsProcessingLayerPostProcessorInterface):
    """Style file if there, else what QGIS made of the colours in the file."""

    def postProcessLayer(self, layer, context, feedback) -> None:
        """Style and describe `layer` after Processing has opened it."""
        if isinstance(layer, QgsRasterLayer):
            describe(layer)
            if apply_qml(layer):
                layer.triggerRepaint()


class StretchStyler(QgsProcessingLayerPostProcessorInterface):
    """Style file if there, else a ramp over the percentiles of the first band."""

    def postProcessLayer(self, layer, context, feedback) -> None:
        """Style and describe `layer` after Processing has opened it."""
        if isinstance(layer, QgsRasterLayer):
            describe(layer)
            if not apply_qml(layer):
                stretch(layer)
            layer.triggerRepaint()


# QGIS keeps a bare pointer to a post-processor, calls it after the algorithm object is gone, and may destroy it once it
# was used: each result has one of its own, held here for longer than a run's results take to load.
_held: deque[QgsProcessingLayerPostProcessorInterface] = deque(maxlen=100)


def held(styler: QgsProcessingLayerPostProcessorInterface) -> QgsProcessingLayerPostProcessorInterface:
    """The same post-processor, kept alive until QGIS has called it."""
    _held.append(styler)
    return styler
