"""Assess the accuracy of a class map: confusion matrix, scores, areas, and a report."""
