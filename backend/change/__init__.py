"""Compare two dates: transitions between two class maps and their areas, and significant changes of backscatter."""
