"""Fine-tune a backbone to land cover on labelled rasters."""
