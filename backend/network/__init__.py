"""Define the vision transformer, its heads and its weights; imports torch, never rasterio."""
