"""Model cards, their validation, and the registry of model folders."""
