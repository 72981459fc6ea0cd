"""Provide code that every other package of the plugin may use."""
