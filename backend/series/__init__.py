"""Join several dates of a place: acquisition dates, rasters on one grid, composites, a speckle filter over time."""
