"""Show how a running pre-training learns: scores, pictures, curves."""
