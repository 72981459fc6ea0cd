"""Define the algorithms that take a finished class map."""
