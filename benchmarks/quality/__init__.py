"""Score models on labelled places."""
