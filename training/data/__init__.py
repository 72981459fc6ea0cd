"""Read data folders, and cut tiles from them."""
