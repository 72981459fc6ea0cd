"""The Python environment that the backend runs in."""
