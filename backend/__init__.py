"""Streaming land-cover and attention inference on SAR rasters, free of QGIS."""

__version__ = "0.1.0"
# As files call what wrote them.
PROGRAM = f"SAR Land Cover (DINO) {__version__}"
