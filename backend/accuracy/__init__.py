"""A class map against reference data: matrix, accuracies, areas, and the report of them."""
