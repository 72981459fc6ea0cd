"""Backscatter units: decide, convert, normalise."""
