"""Provide a map of three classes on a grid of 10 m, and coordinates of its pixels."""

import numpy as np

from backend.card.model_card import LandCoverClass

TRUTH = np.kron(np.array([[10, 40, 80], [40, 80, 10]]), np.ones((30, 40), int)).astype(np.uint8)
CLASSES = [LandCoverClass(10, "Tree", "#006400"), LandCoverClass(40, "Crop", "#f096ff"),
           LandCoverClass(80, "Water", "#0064c8")]  # fmt: skip


def brute(map_, reference, classes):
    return [[int(((map_ == m) & (reference == r)).sum()) for r in classes] for m in classes]


def centre(row, column):
    return [500_000 + 10 * column + 5, 4_600_000 - 10 * row - 5]
