"""Write rasters with GDAL alone, as QGIS has it."""

from __future__ import annotations

import numpy as np
from osgeo import gdal, osr

UTM_CORNER = 400_000, 5_200_000


def write_raster(path, values, kind=gdal.GDT_Byte, nodata=0, corner=UTM_CORNER, options=()):
    """Write values [rows, columns] or [bands, rows, columns]: UTM zone 33, 10 m; return the open dataset."""
    bands = values.reshape(-1, *values.shape[-2:])
    data = gdal.GetDriverByName("GTiff").Create(str(path), *bands.shape[:0:-1], len(bands), kind, list(options))
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32633)
    data.SetProjection(crs.ExportToWkt())
    data.SetGeoTransform((corner[0], 10, 0, corner[1], 0, -10))
    for number, band in enumerate(bands, 1):
        data.GetRasterBand(number).WriteArray(band)
        if nodata is not None:
            data.GetRasterBand(number).SetNoDataValue(nodata)
    return data


def write_class_map(path, values, names=None, colours=None):
    """Write a map of classes with their names and colours by value; return its path. 0 is nodata."""
    data = write_raster(path, np.asarray(values, np.uint8))
    band = data.GetRasterBand(1)
    if colours:
        table = gdal.ColorTable()
        for value, colour in colours.items():
            table.SetColorEntry(value, colour)
        band.SetColorTable(table)
    if names:
        band.SetCategoryNames([names.get(value, "") for value in range(max(names) + 1)])
    del band, data
    return str(path)
