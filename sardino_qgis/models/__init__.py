"""List installed models and show their cards."""
