"""Draw windows of images, and the batches of views of each step."""
