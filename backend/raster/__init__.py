"""Read and write rasters; imports rasterio, never torch."""
