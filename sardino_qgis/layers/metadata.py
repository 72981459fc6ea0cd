"""Fill the metadata of a layer with its origin, from the tags in its file."""

from __future__ import annotations

from typing import Any

from osgeo import gdal
from qgis.core import QgsBox3d, QgsLayerMetadata, QgsRasterLayer

from ..common.i18n import tr

PREFIX = "SARDINO_"
SCENES = ("calibrate", "composite", "dates")  # outputs that are backscatter


def file_tags(path: str) -> dict[str, str]:
    """Return the backend's tags of a raster file (also from its .aux.xml), without their prefix."""
    try:
        data = gdal.Open(path)
        tags = data.GetMetadata() if data is not None else {}
    except RuntimeError:  # raised if GDAL's exceptions are enabled
        return {}
    return {key[len(PREFIX) :]: value for key, value in tags.items() if key.startswith(PREFIX)}


def is_result(layer: Any) -> bool:
    """Return whether `layer` shows a map that was made here, not a scene, as calibrated products and composites are."""
    if not isinstance(layer, QgsRasterLayer) or layer.providerType() != "gdal":
        return False
    return file_tags(layer.source()).get("OUTPUT", SCENES[0]) not in SCENES


def describe(layer: Any) -> bool:
    """Fill in the metadata of `layer` (a QgsRasterLayer) from the tags of its file; return whether there are any."""
    tags = file_tags(layer.source())
    if not tags:
        return False
    metadata = QgsLayerMetadata()
    metadata.setType("dataset")
    metadata.setTitle(layer.name())
    metadata.setIdentifier(layer.source())
    metadata.setAbstract(
        tr("Output '{output}' of SAR Land Cover (DINO) from {input}.").format(
            output=tags.get("OUTPUT", "?"), input=tags.get("INPUT", "?")
        )
    )
    made = tr("{date}: made by SAR Land Cover (DINO) {version} with the model {model} (weights SHA-256 {sha}).")
    if "MODEL" not in tags:
        made = tr("{date}: made by SAR Land Cover (DINO) {version}.")
    metadata.setHistory(
        [
            made.format(
                date=tags.get("DATE", "?"),
                version=tags.get("VERSION", "?"),
                model=tags.get("MODEL", "?"),
                sha=tags.get("MODEL_SHA256", "?"),
            )
        ]
    )
    metadata.setCrs(layer.crs())
    place = QgsLayerMetadata.SpatialExtent()
    place.bounds, place.extentCrs = QgsBox3d(layer.extent()), layer.crs()
    extent = QgsLayerMetadata.Extent()
    extent.setSpatialExtents([place])
    metadata.setExtent(extent)
    layer.setMetadata(metadata)
    return True
