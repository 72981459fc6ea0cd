"""Compare two dates: transitions between two class maps with their areas, and changes of backscatter that are significant."""
