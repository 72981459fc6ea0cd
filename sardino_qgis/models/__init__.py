"""Installed models and their cards."""
