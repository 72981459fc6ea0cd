"""Measure the classes of a map in polygons."""
