"""Compare with independent implementations, and look for artefacts."""
