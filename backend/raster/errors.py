"""Name what GDAL raises through rasterio."""

from __future__ import annotations

# Private, but some calls of rasterio (overviews, warps, coordinate transforms) let GDAL's own exceptions through.
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

RASTER_ERRORS: tuple[type[Exception], type[Exception]] = (RasterioError, CPLE_BaseError)
