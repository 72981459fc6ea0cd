"""Map land cover and attention on SAR rasters as a stream, without QGIS."""

__version__ = "0.1.0"
# As files call what wrote them.
PROGRAM = f"SAR Land Cover (DINO) {__version__}"
