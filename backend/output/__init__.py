"""Write rasters and their sidecars: names, types, styles, and a transaction that places all files together."""
