"""Measure seconds and memory."""
