"""From a QGIS raster layer to what GDAL opens in another process."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from qgis.core import QgsFeatureRequest, QgsPointXY, QgsProcessingException

from ..common.i18n import tr

# QGIS appends these to the name that GDAL opens: open options, credentials, an authentication configuration.
_QGIS_SUFFIX = re.compile(r"(\|(?:option|credential):.*| authcfg='[^']*')$")


def _absolute(source: str) -> str:
    """`source` with the file in it made absolute, for the worker runs in another folder.

    A driver prefix (`NETCDF:"file.nc":vv`) is kept; names that hold no file here are left as they are.
    """
    if os.path.exists(source):
        return os.path.abspath(source)
    parts = source.split(":")
    for index, part in enumerate(parts[1:], start=1):
        name = part.strip('"')
        if os.path.isfile(name) and not os.path.isabs(name):
            parts[index] = part.replace(name, os.path.abspath(name))
    return ":".join(parts)


def worker_source(layer: Any, feedback: Any) -> str:
    """The name under which GDAL, in any process, opens the data of `layer` (a QgsRasterLayer).

    Raises:
        QgsProcessingException: The layer comes from a service or lives in the memory of QGIS.
    """
    if layer.providerType() != "gdal":
        raise QgsProcessingException(
            tr(
                "The layer '{name}' comes from '{provider}', not from a raster file. Web services give "
                "pictures, not backscatter: export the layer to a GeoTIFF (Layer > Save As…, raw data), and "
                "use that."
            ).format(name=layer.name(), provider=layer.providerType())
        )
    full = layer.source()
    source = _QGIS_SUFFIX.sub("", full)
    if source != full:
        feedback.pushWarning(tr("Open options of the layer are not used: {}").format(full[len(source) :]))
    if source.startswith("/vsimem/"):
        raise QgsProcessingException(
            tr("The layer '{}' lives only in the memory of QGIS. Save it to a file, and use that.").format(layer.name())
        )
    return _absolute(source)


def check_crs(layer: Any, feedback: Any) -> None:
    """Warn where the CRS set for the layer isn't the file's, which is what outputs will carry."""
    own = layer.dataProvider().crs()
    if layer.crs().isValid() and own != layer.crs():
        feedback.pushWarning(
            tr(
                "The CRS of the layer ({layer}) is not that of its file ({file}); results carry that of the file."
            ).format(layer=layer.crs().authid() or tr("custom"), file=own.authid() or tr("none"))
        )


def extent_arguments(extent: Any, layer: Any) -> list[str]:
    """`--extent` with the corners of `extent` (a QgsRectangle in the layer's CRS), or nothing for a null one.

    Raises:
        QgsProcessingException: It doesn't touch the layer, or is no area at all.
    """
    if extent.isNull():
        return []
    if not extent.isFinite() or extent.isEmpty() or not extent.intersects(layer.extent()):
        raise QgsProcessingException(
            tr("The extent {wanted} does not overlap the layer '{name}' ({has}). Choose another, or none.").format(
                wanted=extent.toString(6), name=layer.name(), has=layer.extent().toString(6)
            )
        )
    return corner_arguments(extent)


def corner_arguments(extent: Any) -> list[str]:
    """`--extent` with the corners of `extent` (a QgsRectangle)."""
    corners = (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
    # Never 1e-05: an argument parser takes "-1e-05" for an option.
    return ["--extent", *(f"{value:.10f}" for value in corners)]


def points_of(source: Any, crs: Any, transforms: Any, feedback: Any) -> list[Any]:
    """The points (QgsPointXY, in `crs`) of a feature source; multipoints count as their parts.

    Features without a geometry, or with one that can't be brought into `crs`, are left out with a warning.

    Args:
        source: QgsFeatureSource of points.
        crs: Of the raster.
        transforms: QgsCoordinateTransformContext.
        feedback: For warnings.
    """
    request = QgsFeatureRequest().setDestinationCrs(crs, transforms)
    failed: list[int] = []
    request.setTransformErrorCallback(lambda feature: failed.append(feature.id()))
    points, empty = [], 0
    for feature in source.getFeatures(request):
        vertices = [QgsPointXY(vertex) for vertex in feature.geometry().vertices()]
        empty += not vertices
        points += vertices
    if failed or empty:
        feedback.pushWarning(
            tr("Features of the points without a place in the coordinate system of the raster, left out: {}.").format(
                len(failed) + empty
            )
        )
    return points


def point_arguments(points: Sequence[Any]) -> list[str]:
    """`--point X Y` for each of some QgsPointXY in the raster's CRS."""
    # Never 1e-05, as for extents.
    return [text for point in points for text in ("--point", f"{point.x():.10f}", f"{point.y():.10f}")]
