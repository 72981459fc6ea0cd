"""Find or set up the Python environment that the backend runs in."""
