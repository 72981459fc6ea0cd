"""Scores on labelled places."""
