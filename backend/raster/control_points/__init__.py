"""Bring rasters with ground control points to a grid."""
