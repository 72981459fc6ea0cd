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
    QgsLayerTree,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRectangle,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

from .metadata import describe

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


def group(results: Sequence[Any], stylers: Sequence[Styler], name: str) -> None:
    """Have results loaded into a group of the layer tree.

    Args:
        results: QgsProcessingContext.LayerDetails of each result; the first is to lie on top.
        stylers: Their post-processors, which do it in QGIS before 3.32.
        name: Of the group, unless the user or a model named one.
    """
    for height, (details, styler) in enumerate(zip(reversed(results), reversed(stylers)), 1):
        if not hasattr(details, "groupName"):
            styler.group, styler.on_top = name, height == len(results)
            continue
        if not details.groupName:
            details.groupName = name
        if not details.layerSortKey:
            details.layerSortKey = height


def move_to_group(layer: Any, name: str, on_top: bool) -> None:
    """Move a layer of the project into a group called `name` beside it, which is made if there is none.

    A layer that lies in such a group already stays there: QGIS adds layers beside the selected one.
    """
    node = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
    if node is None:
        return
    parent = node.parent()
    near = [child for child in (parent, *parent.children()) if QgsLayerTree.isGroup(child) and child.name() == name]
    target = near[0] if near else parent.insertGroup(parent.children().index(node), name)
    target.insertChildNode(0 if on_top else -1, node.clone())
    parent.removeChildNode(node)


class Styler(QgsProcessingLayerPostProcessorInterface):
    """What is done with a result once Processing has opened it: looks, metadata, and its place in the layer tree.

    Attributes:
        group: Name of the group that it goes to; empty where QGIS sees to that, or where there is none.
        on_top: Whether it lies above the others there.
    """

    group, on_top = "", False

    def postProcessLayer(self, layer, context, feedback) -> None:
        """Style and describe `layer` after Processing has opened it."""
        if isinstance(layer, QgsRasterLayer):
            describe(layer)
            self.style(layer)
            layer.triggerRepaint()
            if self.group:
                move_to_group(layer, self.group, self.on_top)

    def style(self, layer: Any) -> None:
        raise NotImplementedError


class QmlStyler(Styler):
    """Style file if there, else what QGIS made of the colours in the file."""

    def style(self, layer: Any) -> None:
        apply_qml(layer)


class StretchStyler(Styler):
    """Style file if there, else a ramp over the percentiles of the first band."""

    def style(self, layer: Any) -> None:
        if not apply_qml(layer):
            stretch(layer)


# QGIS keeps a bare pointer to a post-processor, calls it after the algorithm object is gone, and may destroy it once it
# was used: each result has one of its own, held here for longer than a run's results take to load.
_held: deque[Styler] = deque(maxlen=100)


def held(styler: Styler) -> Styler:
    """The same post-processor, kept alive until QGIS has called it."""
    _held.append(styler)
    return styler
