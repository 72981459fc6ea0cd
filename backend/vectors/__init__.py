"""Turn class maps into polygons, and measure classes in polygons."""
