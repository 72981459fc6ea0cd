"""Provide tools for developers: set-up, packaging, demonstration. Nothing here is shipped to users."""
