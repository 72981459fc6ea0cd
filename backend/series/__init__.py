"""Several dates of one place: acquisition dates, rasters on one grid, composites, a filter of speckle over time."""
