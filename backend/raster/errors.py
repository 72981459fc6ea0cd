"""List the exceptions that GDAL raises through rasterio."""

from __future__ import annotations

# Private, but raised by some functions of rasterio (overviews, warps, coordinate transforms).
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

RASTER_ERRORS: tuple[type[Exception], type[Exception]] = (RasterioError, CPLE_BaseError)
