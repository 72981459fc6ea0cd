"""Agreement with independent implementations; artefacts."""
