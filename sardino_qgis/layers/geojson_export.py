"""Export labelled vector features as GeoJSON in a raster's CRS, for the backend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Callable

from qgis.core import (
    NULL,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateTransform,
    QgsCsException,
    QgsProcessingException,
    QgsWkbTypes,
)

from ..common.cancelled import CancelledError
from ..common.i18n import tr

DIGITS = 15  # of coordinates, enough for a float64


def write_geojson(source: Any, fields: str | Sequence[str], crs: Any, path: str, context: Any, feedback: Any) -> int:
    """Write the points or polygons of `source` with some fields, and return their number.

    Args:
        source: A QgsProcessingFeatureSource, which applies selection and filter.
        fields: Name of the field with the class; others may follow, which are written where the layer has them.
        crs: QgsCoordinateReferenceSystem to write in; if invalid (a raster without one), coordinates are unchanged.
        path: File to write.
        context: QgsProcessingContext, for its coordinate transformations.
        feedback: QgsProcessingFeedback, asked for a cancel.

    Raises:
        QgsProcessingException: Cancelled, no such field, or a geometry can't be transformed to `crs`.
    """
    names = [fields] if isinstance(fields, str) else list(fields)
    places = {name: source.fields().lookupField(name) for name in names}
    if places[names[0]] < 0:
        raise QgsProcessingException(tr("The layer has no field '{}'.").format(names[0]))
    places = {name: index for name, index in places.items() if index >= 0}

    def properties(feature: Any) -> dict:
        return {name: _plain(feature.attribute(index)) for name, index in places.items()}

    return _write(source, properties, crs, path, (context, feedback))


def write_numbered(source: Any, name: str, crs: Any, path: str, context: Any, feedback: Any) -> int:
    """Write features with their id as the property `name`, and return their number; else as `write_geojson`."""
    return _write(source, lambda feature: {name: feature.id()}, crs, path, (context, feedback))


def _write(source: Any, properties: Callable[[Any], dict], crs: Any, path: str, run: tuple[Any, Any]) -> int:
    context, feedback = run
    transform = QgsCoordinateTransform(source.sourceCrs(), crs, context.transformContext()) if crs.isValid() else None
    count = 0
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection"' + _crs_member(crs) + ', "features": [')
        for feature in source.getFeatures():
            if feedback.isCanceled():
                raise CancelledError()
            item = {"type": "Feature", "properties": properties(feature), "geometry": _geometry(feature, transform)}
            file.write((",\n" if count else "\n") + json.dumps(item, ensure_ascii=True))
            count += 1
        file.write("\n]}\n")
    return count


def category_styles(layer: Any, field: str) -> dict[str, dict[str, str]]:
    """Return name and colour ("#rrggbb") by class if a vector layer is styled by categories of `field`, else {}."""
    renderer = layer.renderer()
    if not isinstance(renderer, QgsCategorizedSymbolRenderer) or renderer.classAttribute().strip('"') != field:
        return {}
    styles = {}
    for category in renderer.categories():
        value = category.value()
        # A category may have several values; the one for all other values has none.
        for item in value if isinstance(value, list) else [value]:
            if _plain(item) not in (None, ""):
                styles[str(_plain(item))] = {"name": category.label(), "color": category.symbol().color().name()}
    return styles


def _crs_member(crs: Any) -> str:
    """Return the GeoJSON member for a CRS: its EPSG code, else WKT; empty for an invalid one."""
    if not crs.isValid():
        return ""
    name = crs.authid() if crs.authid().startswith("EPSG:") else crs.toWkt(type(crs).WktVariant.WKT2_2018)
    return ', "crs": ' + json.dumps({"type": "name", "properties": {"name": name}})


def _geometry(feature: Any, transform: Any) -> Any:
    """Return the geometry as GeoJSON, with curves as segments; None where there is none."""
    geometry = feature.geometry()
    if geometry.isNull() or geometry.isEmpty():
        return None
    if transform is not None:
        try:
            geometry.transform(transform)
        except QgsCsException as trouble:
            raise QgsProcessingException(
                tr("Feature {id} can't be transformed to the CRS of the raster: {why}").format(
                    id=feature.id(), why=trouble
                )
            ) from trouble
    if QgsWkbTypes.isCurvedType(geometry.wkbType()):
        geometry.convertToStraightSegment()
    return json.loads(geometry.asJson(DIGITS))


def _plain(value: Any) -> Any:
    """Return an attribute as a JSON value; None for NULL."""
    if value is None or value == NULL:
        return None
    return value if isinstance(value, (int, float, str)) else str(value)
