"""Labelled vector features for the backend: written as GeoJSON in a raster's CRS, which it reads without QGIS."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import (
    NULL,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateTransform,
    QgsCsException,
    QgsProcessingException,
    QgsWkbTypes,
)

from ..common.i18n import tr

DIGITS = 15  # of coordinates: nothing is lost


def write_geojson(source: Any, field: str, crs: Any, path: str, context: Any, feedback: Any) -> int:
    """Write the points or polygons of `source` with one field, and return how many.

    Args:
        source: A QgsProcessingFeatureSource (selection and filter are heeded by it).
        field: Name of the field with the class.
        crs: QgsCoordinateReferenceSystem to write in; where invalid (a raster without), coordinates stay as they are.
        path: File to write.
        context: QgsProcessingContext, for its coordinate transformations.
        feedback: Its cancel is heeded.

    Raises:
        QgsProcessingException: Cancelled, no such field, or a geometry can't be brought to `crs`.
    """
    index = source.fields().lookupField(field)
    if index < 0:
        raise QgsProcessingException(tr("There is no field '{}' in the layer.").format(field))
    transform = QgsCoordinateTransform(source.sourceCrs(), crs, context.transformContext()) if crs.isValid() else None
    count = 0
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection"' + _crs_member(crs) + ', "features": [')
        for feature in source.getFeatures():
            if feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled."))
            item = {
                "type": "Feature",
                "properties": {field: _plain(feature.attribute(index))},
                "geometry": _geometry(feature, transform),
            }
            file.write((",\n" if count else "\n") + json.dumps(item, ensure_ascii=True))
            count += 1
        file.write("\n]}\n")
    return count


def category_looks(layer: Any, field: str) -> dict[str, dict[str, str]]:
    """Name and colour ("#rrggbb") by class, where a vector layer is drawn by categories of `field`; else nothing."""
    renderer = layer.renderer()
    if not isinstance(renderer, QgsCategorizedSymbolRenderer) or renderer.classAttribute().strip('"') != field:
        return {}
    looks = {}
    for category in renderer.categories():
        value = category.value()
        # A category may stand for several values; that of all others has none.
        for item in value if isinstance(value, list) else [value]:
            if _plain(item) not in (None, ""):
                looks[str(_plain(item))] = {"name": category.label(), "color": category.symbol().color().name()}
    return looks


def _crs_member(crs: Any) -> str:
    """The CRS by its code, else in full; nothing for an unknown one."""
    if not crs.isValid():
        return ""
    name = crs.authid() if crs.authid().startswith("EPSG:") else crs.toWkt(type(crs).WktVariant.WKT2_2018)
    return ', "crs": ' + json.dumps({"type": "name", "properties": {"name": name}})


def _geometry(feature: Any, transform: Any) -> Any:
    """The geometry as GeoJSON's types, straightened and plane; None where there is none."""
    geometry = feature.geometry()
    if geometry.isNull() or geometry.isEmpty():
        return None
    if transform is not None:
        try:
            geometry.transform(transform)
        except QgsCsException as trouble:
            raise QgsProcessingException(
                tr("Feature {id} can't be brought to the coordinate system of the raster: {why}").format(
                    id=feature.id(), why=trouble
                )
            ) from trouble
    if QgsWkbTypes.isCurvedType(geometry.wkbType()):
        geometry.convertToStraightSegment()
    return json.loads(geometry.asJson(DIGITS))


def _plain(value: Any) -> Any:
    """An attribute as JSON has it; None for NULL."""
    if value is None or value == NULL:
        return None
    return value if isinstance(value, (int, float, str)) else str(value)
