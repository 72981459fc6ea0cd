"""Read and validate model cards, and find model folders."""
