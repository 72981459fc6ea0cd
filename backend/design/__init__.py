"""Decide where to look next: points that validate a class map, and points to label for a user's own classes."""
