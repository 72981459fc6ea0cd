"""Compute the effect of terrain on a product: heights, orbit, position of each point, and its area in an echo."""
