"""The terrain under a product: heights, orbit, where each point is seen, and how much of it an echo holds."""
