"""From a QGIS layer of samples to a GeoJSON file that the worker reads."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsProcessingException,
    QgsProcessingUtils,
)

from .translation import tr

DIGITS = 10  # decimals of a degree; far below a pixel
STYLES = "styles"


def write_samples(source: Any, field: str, raster_crs: Any, context: Any, feedback: Any) -> str:
    """Write the features of `source` (a QgsProcessingFeatureSource) with the class in `field`; the path of the file.

    Coordinates are degrees (RFC 7946). Where samples or raster have no CRS, both are taken to have the same.

    Raises:
        QgsProcessingException: No such field, a shape that can't be brought to degrees, or cancelled.
    """
    if source.fields().lookupField(field) < 0:
        raise QgsProcessingException(tr("The samples have no field '{}'.").format(field))
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    own = source.sourceCrs() if source.sourceCrs().isValid() else raster_crs
    if raster_crs.isValid() and not source.sourceCrs().isValid():
        feedback.pushWarning(tr("The samples have no CRS: that of the raster is taken."))
    # Without a CRS of the raster, the worker takes coordinates as they are.
    move = QgsCoordinateTransform(own, degrees, context.transformContext()) if raster_crs.isValid() else None
    features = []
    for feature in source.getFeatures():
        if feedback.isCanceled():
            raise QgsProcessingException(tr("Cancelled."))
        features.append(_feature(feature, field, move))
    path = QgsProcessingUtils.generateTempFilename("samples.geojson")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"type": "FeatureCollection", "features": features}, file)
    return path


def add_styles(path: str, layer: Any, field: str) -> None:
    """Add names and colours to a file of `write_samples`, where `layer` is drawn by categories of `field`."""
    renderer = layer.renderer() if hasattr(layer, "renderer") else None
    if not isinstance(renderer, QgsCategorizedSymbolRenderer) or renderer.classAttribute().strip('"') != field:
        return
    styles = {}
    for category in renderer.categories():
        value = _plain(category.value())
        if value not in (None, ""):
            styles[str(value)] = {"name": category.label(), "color": category.symbol().color().name()}
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**document, STYLES: styles}, file)


def _feature(feature: Any, field: str, move: Any) -> dict:
    shape = feature.geometry()
    if move is not None and not shape.isNull():
        try:
            shape.transform(move)
        except QgsCsException as problem:
            raise QgsProcessingException(
                tr("Sample {id} can't be brought to degrees: {problem}").format(id=feature.id(), problem=problem)
            ) from problem
    geometry = None if shape.isNull() or shape.isEmpty() else json.loads(shape.asJson(DIGITS))
    return {"type": "Feature", "properties": {field: _plain(feature[field])}, "geometry": geometry}


def _plain(value: Any) -> Any:
    """A field's value as JSON knows it; NULL as None."""
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return None
    return value if isinstance(value, (bool, int, float, str)) else str(value)
