"""Define the algorithms that make an answer of a finished map."""
