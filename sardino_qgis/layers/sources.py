"""Convert QGIS layers, extents and points to arguments of the backend."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from typing import Any

from qgis.core import QgsFeatureRequest, QgsPointXY, QgsProcessingException

from ..common.i18n import tr

# QGIS appends open options, credentials or an authentication configuration to the name that GDAL opens.
_QGIS_SUFFIX = re.compile(r"(\|(?:option|credential):.*| authcfg='[^']*')$")


_RASTERS = (".tif", ".tiff", ".img", ".vrt", ".jp2", ".nc", ".h5")
# File names in a message.
_SHOWN = 3


def several_files(given: Any) -> str:
    """Return advice if the value of a raster parameter is a folder, or a pattern, of rasters; otherwise ""."""
    if not isinstance(given, str) or os.path.isfile(given):
        return ""
    pattern = os.path.join(glob.escape(given), "*") if os.path.isdir(given) else given
    found = sorted(os.path.basename(name) for name in glob.glob(pattern) if name.lower().endswith(_RASTERS))
    if not found:
        return ""
    names = ", ".join(found[:_SHOWN]) + ", …" * (len(found) > _SHOWN)
    return tr(
        "{given} stands for several files, not for one raster: {names}. Give one file of the scene as SAR raster, and "
        "its others, if there are any, as Further rasters of the scene."
    ).format(given=given, names=names)


def _absolute(source: str) -> str:
    """Return `source` with an absolute path, since the worker runs in another folder.

    A driver prefix (`NETCDF:"file.nc":vv`) is kept; a name that contains no existing file is unchanged.
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
    """Return the name under which GDAL opens the data of `layer` (a QgsRasterLayer) in any process.

    Raises:
        QgsProcessingException: The layer comes from a service or exists in the memory of QGIS only.
    """
    if layer.providerType() != "gdal":
        raise QgsProcessingException(
            tr(
                "The layer '{name}' comes from '{provider}', not from a raster file. Web services give "
                "pictures, not backscatter, and exporting a picture doesn't change that: download the scene as a file, "
                "with the values of VV and VH, and use that."
            ).format(name=layer.name(), provider=layer.providerType())
        )
    full = layer.source()
    source = _QGIS_SUFFIX.sub("", full)
    if source != full:
        feedback.pushWarning(tr("Open options of the layer are not used: {}").format(full[len(source) :]))
    if source.startswith("/vsimem/"):
        raise QgsProcessingException(
            tr("The layer '{}' exists only in the memory of QGIS. Save it to a file, and use that.").format(
                layer.name()
            )
        )
    return _absolute(source)


def check_crs(layer: Any, feedback: Any) -> None:
    """Warn if the CRS of the layer differs from that of its file, which outputs get."""
    own = layer.dataProvider().crs()
    if layer.crs().isValid() and own != layer.crs():
        feedback.pushWarning(
            tr(
                "The CRS of the layer ({layer}) differs from that of its file ({file}); results get the file's CRS."
            ).format(layer=layer.crs().authid() or tr("custom"), file=own.authid() or tr("none"))
        )


def extent_arguments(extent: Any, layer: Any) -> list[str]:
    """Return `--extent` with the corners of `extent` (a QgsRectangle in the layer's CRS), or [] for a null one.

    Raises:
        QgsProcessingException: It doesn't overlap the layer, or is empty.
    """
    if extent.isNull():
        return []
    if not extent.isFinite() or extent.isEmpty() or not extent.intersects(layer.extent()):
        raise QgsProcessingException(
            tr("The extent {wanted} does not overlap the layer '{name}' ({has}). Choose another one, or none.").format(
                wanted=extent.toString(6), name=layer.name(), has=layer.extent().toString(6)
            )
        )
    return corner_arguments(extent)


def corner_arguments(extent: Any) -> list[str]:
    """Return `--extent` with the corners of `extent` (a QgsRectangle)."""
    corners = (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
    # No exponents: an argument parser takes "-1e-05" for an option.
    return ["--extent", *(f"{value:.10f}" for value in corners)]


def points_of(source: Any, crs: Any, transforms: Any, feedback: Any) -> list[Any]:
    """Return the points (QgsPointXY in `crs`) of a feature source, and all parts of multipoints.

    Features without a geometry, or whose geometry can't be transformed to `crs`, are left out with a warning.

    Args:
        source: QgsFeatureSource of points.
        crs: QgsCoordinateReferenceSystem of the raster.
        transforms: QgsCoordinateTransformContext.
        feedback: QgsProcessingFeedback for warnings.
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
            tr("Point features without a geometry in the CRS of the raster, left out: {}.").format(len(failed) + empty)
        )
    return points


def point_arguments(points: Sequence[Any]) -> list[str]:
    """Return `--point X Y` for each QgsPointXY in the raster's CRS."""
    # No exponents, as for extents.
    return [text for point in points for text in ("--point", f"{point.x():.10f}", f"{point.y():.10f}")]
