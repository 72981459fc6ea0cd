"""Land cover learnt from labelled rasters."""
