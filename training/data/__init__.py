"""Read data folders, and cut windows, tiles and views from them."""
