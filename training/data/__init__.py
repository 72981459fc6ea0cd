"""Rasters in, windows and views out."""
