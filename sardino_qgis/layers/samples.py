"""Keep samples of own classes in a memory layer with a class field, coloured by class."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsFillSymbol,
    QgsProject,
    QgsRendererCategory,
    QgsVectorLayer,
)

from ..common.i18n import tr

FIELD = "class"
SAMPLES_OF = "sardino/samplesOf"  # custom property of a layer of samples: id of the layer of its scene
# Colours that the colour-blind can tell apart (Okabe and Ito 2008).
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999")


def samples_of(raster: Any) -> Any:
    """Return the layer of samples of a raster layer in the project, or None."""
    for layer in QgsProject.instance().mapLayers().values():
        usable = isinstance(layer, QgsVectorLayer) and layer.isValid() and layer.fields().lookupField(FIELD) >= 0
        if usable and layer.customProperty(SAMPLES_OF, "") == raster.id():
            return layer
    return None


def add_sample(raster: Any, geometry: Any, name: str) -> Any:
    """Add a polygon of the class `name` to the samples of a raster layer, and return their layer, new if need be.

    Args:
        raster: QgsRasterLayer.
        geometry: QgsGeometry in its CRS.
        name: Class.
    """
    layer = samples_of(raster) or _new_layer(raster)
    feature = QgsFeature(layer.fields())
    feature.setAttribute(FIELD, name)
    feature.setGeometry(geometry)
    # Samples that are being edited can be undone with the user's other edits.
    (layer if layer.isEditable() else layer.dataProvider()).addFeature(feature)
    layer.updateExtents()
    _show_class(layer, name)
    layer.triggerRepaint()
    return layer


def classes_of(layer: Any) -> list[str]:
    """Return the classes in a layer of samples, sorted."""
    values = layer.uniqueValues(layer.fields().lookupField(FIELD))
    return sorted(str(value) for value in values if value)


def _new_layer(raster: Any) -> Any:
    layer = QgsVectorLayer(
        f"MultiPolygon?field={FIELD}:string(100)", tr("Samples in {}").format(raster.name()), "memory"
    )
    layer.setCrs(raster.crs())
    layer.setCustomProperty(SAMPLES_OF, raster.id())
    layer.setRenderer(QgsCategorizedSymbolRenderer(FIELD, []))
    QgsProject.instance().addMapLayer(layer, False)
    root = QgsProject.instance().layerTreeRoot()
    node = root.findLayer(raster.id())
    group = node.parent() if node is not None else root
    group.insertLayer(group.children().index(node) if node is not None else 0, layer)
    return layer


def _show_class(layer: Any, name: str) -> None:
    """Give a class its own colour, unless the user styled the layer otherwise."""
    renderer = layer.renderer()
    if not isinstance(renderer, QgsCategorizedSymbolRenderer) or renderer.categoryIndexForValue(name) >= 0:
        return
    colour = COLOURS[len(renderer.categories()) % len(COLOURS)]
    symbol = QgsFillSymbol.createSimple({"color": colour, "outline_color": "#333333", "outline_width": "0.3"})
    symbol.setOpacity(0.7)
    changed = renderer.clone()
    changed.addCategory(QgsRendererCategory(name, symbol, name))
    layer.setRenderer(changed)
    layer.emitStyleChanged()
