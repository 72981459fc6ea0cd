"""Read data folders, and cut windows and tiles from them."""
