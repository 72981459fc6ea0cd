"""Decide, convert and normalise units of backscatter."""
