"""Accuracy assessment of a class map: confusion matrix, scores, areas, and a report."""
