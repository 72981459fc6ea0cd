"""Streaming land-cover and attention inference on SAR rasters, free of QGIS."""

__version__ = "0.1.0"
