"""Errors, cancel, events and partial files: imports the standard library only."""
