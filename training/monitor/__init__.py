"""What a running pre-training shows of itself."""
