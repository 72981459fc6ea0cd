"""Outline the connected place around a click: where the similarity to the clicked place is above a threshold."""

from __future__ import annotations

from typing import Any

from osgeo import gdal, ogr
from qgis.core import QgsGeometry, QgsPointXY

BUCKETS = 200
# Part of the way from 1 down to the parting threshold.
STRICTNESS = 1 / 3
LEAST = -1.0  # of a similarity, which is a cosine


class SimilarityAnswer:
    """Hold the similarity of the cells of a scene to clicked places.

    Args:
        path: GeoTIFF that a worker wrote.
        places: QgsPointXY in its CRS.

    Raises:
        RuntimeError: The file can't be read.
    """

    def __init__(self, path: str, places: list[Any]) -> None:
        self._data = gdal.Open(path)
        if self._data is None:
            raise RuntimeError(path)
        self._band = self._data.GetRasterBand(1)
        self._centres = [self._centre(place) for place in places]

    def _centre(self, place: Any) -> Any:
        """Return the centre of the cell of a place: a lone cell above the threshold has its outline around that."""
        forward = self._data.GetGeoTransform()
        back = gdal.InvGeoTransform(forward)
        column, row = gdal.ApplyGeoTransform(back, place.x(), place.y())
        return QgsPointXY(*gdal.ApplyGeoTransform(forward, int(column) + 0.5, int(row) + 0.5))

    def proposal(self) -> float:
        """Return a threshold to begin with: nearer to 1 than the one that parts like from unlike.

        Samples must be pure rather than large.
        """
        return 1.0 - (1.0 - self.parting()) * STRICTNESS

    def parting(self) -> float:
        """Return the threshold that parts the values best (Otsu 1979, IEEE Trans. SMC 9, 62-66)."""
        counts = self._band.GetHistogram(LEAST, 1.0 + 1e-6, BUCKETS, 1, 0)
        total, weighted = sum(counts), sum(i * n for i, n in enumerate(counts))
        best, found, below, sum_below = -1.0, BUCKETS // 2, 0, 0
        for bucket, count in enumerate(counts):
            below += count
            sum_below += bucket * count
            if not 0 < below < total:
                continue
            apart = sum_below / below - (weighted - sum_below) / (total - below)
            between = below * (total - below) * apart * apart
            if between > best:
                best, found = between, bucket + 1
        return LEAST + found * (1.0 - LEAST) / BUCKETS

    def outline(self, threshold: float) -> Any:
        """Return the outline of the places as a QgsGeometry; an empty one where the similarity is below everywhere.

        The outline runs between the centres of cells, where the interpolated similarity is the threshold.
        """
        memory = ogr.GetDriverByName("Memory").CreateDataSource("")
        layer = memory.CreateLayer("outlines", None, ogr.wkbMultiPolygon)
        for name, kind in (("id", ogr.OFTInteger), ("low", ogr.OFTReal), ("high", ogr.OFTReal)):
            layer.CreateField(ogr.FieldDefn(name, kind))
        options = [f"FIXED_LEVELS={threshold:.6f}", "POLYGONIZE=YES", "ID_FIELD=0", "ELEV_FIELD_MIN=1"]
        nodata = self._band.GetNoDataValue()
        options += ["ELEV_FIELD_MAX=2"] + ([f"NODATA={nodata}"] if nodata is not None else [])
        gdal.ContourGenerateEx(self._band, layer, options=options)
        parts = []
        for feature in layer:
            if feature.GetField(1) < threshold - 1e-5:
                continue
            geometry = QgsGeometry()
            geometry.fromWkb(bytes(feature.GetGeometryRef().ExportToWkb()))
            for part in geometry.asGeometryCollection():
                if any(part.contains(centre) for centre in self._centres):
                    parts.append(part)
        return QgsGeometry.unaryUnion(parts) if parts else QgsGeometry()
