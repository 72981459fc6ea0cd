"""Describe the views of a sample, and make them on the device that trains."""
