"""Style, describe, date and group results when the desktop loads them. `qgis_process` needs none of this."""

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
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QColor

from .legend import translate_legend
from .metadata import describe
from .temporal import set_time

MADE_FROM = "sardino/madeFrom"  # custom property of a result: id of the layer of its scene
LOWER, UPPER = 0.02, 0.98  # cumulative cut, QGIS's default for rasters
SAMPLE_PIXELS = 250_000
# Magma of matplotlib (CC0), at equal steps: legible in grey and for the colour-blind.
_MAGMA = ("#000004", "#3b0f70", "#8c2981", "#de4968", "#fe9f6d", "#fcfdbf")


def magma() -> QgsGradientColorRamp:
    """Return a perceptually uniform ramp from dark to light."""
    last = len(_MAGMA) - 1
    stops = [QgsGradientStop(i / last, QColor(_MAGMA[i])) for i in range(1, last)]
    return QgsGradientColorRamp(QColor(_MAGMA[0]), QColor(_MAGMA[-1]), False, stops)


def apply_qml(layer: Any) -> bool:
    """Apply the .qml file next to the layer's file, and return whether that worked.

    Processing loads results without it, unlike the rest of QGIS.
    """
    style = Path(layer.source()).with_suffix(".qml")
    if not style.is_file():
        return False
    _, good = layer.loadNamedStyle(str(style))
    if good:
        translate_legend(layer)
    return bool(good)


def stretch(layer: Any, band: int = 1) -> None:
    """Show one band with a colour ramp between its 2nd and 98th percentile."""
    low, high = layer.dataProvider().cumulativeCut(band, LOWER, UPPER, QgsRectangle(), SAMPLE_PIXELS)
    if not low < high:
        return  # one value, or none
    colours = QgsColorRampShader(low, high, magma(), QgsColorRampShader.Type.Interpolated)
    colours.classifyColorRamp(255, band, QgsRectangle(), layer.dataProvider())
    shader = QgsRasterShader(low, high)
    shader.setRasterShaderFunction(colours)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), band, shader)
    renderer.setClassificationMin(low)
    renderer.setClassificationMax(high)
    layer.setRenderer(renderer)


def group(results: Sequence[Any], stylers: Sequence[Styler], name: str) -> None:
    """Load results into a group of the layer tree.

    Args:
        results: QgsProcessingContext.LayerDetails of each result; the first one goes on top.
        stylers: Their post-processors, which move the layers in QGIS before 3.32.
        name: Name of the group, unless the user or a model set one.
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
    """Move a layer of the project into the neighbouring group `name`, which is created if it doesn't exist.

    A layer that is in such a group stays there: QGIS adds layers next to the selected one.
    """
    node = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
    if node is None:
        return
    parent = node.parent()
    near = [child for child in (parent, *parent.children()) if QgsLayerTree.isGroup(child) and child.name() == name]
    target = near[0] if near else parent.insertGroup(parent.children().index(node), name)
    target.insertChildNode(0 if on_top else -1, node.clone())
    parent.removeChildNode(node)


def unfold(layer_id: str) -> None:
    """Show the legend of a layer in the layer tree, where QGIS may have added it folded."""
    node = QgsProject.instance().layerTreeRoot().findLayer(layer_id)
    if node is not None:
        # Set again: a view ignores it while the legend is being built.
        node.setExpanded(False)
        node.setExpanded(True)


class Styler(QgsProcessingLayerPostProcessorInterface):
    """Style a loaded result, describe it, and put it in its place in the layer tree.

    Attributes:
        group: Name of the group to move the layer to; empty if QGIS does that, or without a group.
        on_top: Whether the layer goes above the others in the group.
        made_from: Id of the layer of the scene, kept for the map tool; may be empty.
    """

    group, on_top, made_from = "", False, ""

    def postProcessLayer(self, layer, context, feedback) -> None:
        """Style and describe `layer` after Processing has loaded it."""
        if isinstance(layer, QgsRasterLayer):
            describe(layer)
            self.style(layer)
            set_time(layer)  # afterwards: a style file takes the time away
            layer.triggerRepaint()
            if self.made_from:
                layer.setCustomProperty(MADE_FROM, self.made_from)
            if self.group:
                move_to_group(layer, self.group, self.on_top)
            layer_id = layer.id()
            # Newer versions of QGIS put the layer into the tree afterwards.
            QTimer.singleShot(0, lambda: unfold(layer_id))

    def style(self, layer: Any) -> None:
        raise NotImplementedError


class QmlStyler(Styler):
    """Apply the style file, if there is one, over QGIS's default for the colours in the raster file."""

    def style(self, layer: Any) -> None:
        apply_qml(layer)


class StretchStyler(Styler):
    """Apply the style file, or else a colour ramp between percentiles of the first band."""

    def style(self, layer: Any) -> None:
        if not apply_qml(layer):
            stretch(layer)


# QGIS keeps a bare pointer to a post-processor, calls it after the algorithm object was deleted, and may destroy it
# after use. So each result has its own, which is held here for longer than loading takes.
_held: deque[Styler] = deque(maxlen=100)


def held(styler: Styler) -> Styler:
    """Return `styler`, kept alive until QGIS has called it."""
    _held.append(styler)
    return styler
