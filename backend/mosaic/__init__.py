"""Put the maps of an archive onto a grid of tiles."""
