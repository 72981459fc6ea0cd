"""Rasters in and out: opening, bands, grids, the writer; imports rasterio, never torch."""
