"""Style results that are looked at over the scene: half transparent, with a legend that says what bright means."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsColorRampLegendNodeSettings, QgsColorRampShader, QgsPalettedRasterRenderer
from qgis.PyQt.QtGui import QColor

from ..common.i18n import tr
from .styling import StretchStyler, Styler, apply_qml, stretch

OPACITY = 0.6
MASK = QColor(252, 253, 191, 160)


class AttentionStyler(Styler):
    """Style attention; of several heads their mean, the last band, is shown."""

    def style(self, layer: Any) -> None:
        if not apply_qml(layer):
            stretch(layer, layer.bandCount())
        overlay(layer, tr("little attention"), tr("much attention"))


class SimilarityStyler(StretchStyler):
    """Style similarity to places."""

    def style(self, layer: Any) -> None:
        super().style(layer)
        overlay_similarity(layer)


class MaskStyler(Styler):
    """Style masks: the places that hold the attention are tinted, others are not."""

    def style(self, layer: Any) -> None:
        kept = QgsPalettedRasterRenderer.Class(1, MASK, tr("holds the attention of this head"))
        layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, [kept]))


def overlay_similarity(layer: Any) -> None:
    """Show similarity over the scene."""
    overlay(layer, tr("unlike the place"), tr("like the place"))


def overlay(layer: Any, low: str, high: str) -> None:
    """Make a layer with a colour ramp half transparent, and name both ends of the ramp with their values."""
    layer.renderer().setOpacity(OPACITY)
    shader = getattr(layer.renderer(), "shader", lambda: None)()
    function = shader.rasterShaderFunction() if shader is not None else None
    if not isinstance(function, QgsColorRampShader):
        return
    settings = QgsColorRampLegendNodeSettings()
    settings.setMinimumLabel(f"{low} ({function.minimumValue():.2g})")
    settings.setMaximumLabel(f"{high} ({function.maximumValue():.2g})")
    function.setLegendSettings(settings)
    layer.legendChanged.emit()  # the layer tree shows the labels of before otherwise
