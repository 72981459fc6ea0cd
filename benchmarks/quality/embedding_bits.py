"""Measure what embeddings in eight bits cost: size, similarity, and own classes from them.

    python -m benchmarks.quality.embedding_bits SCENE [--classes RASTER] [--model NAME|DIR]

Writes the embeddings of SCENE as floats and as bytes (`python -m backend embed --bits 8`). Similarity: the largest and
the mean difference of the cosine to 50 random patches, and how often the 100 most similar patches to each are the same.
Own classes, with --classes, a raster of classes on the grid of the scene: a linear classifier is trained on the patches
of every second block of 8 x 8 patches by the class of most of their pixels, from floats and bytes alike, and judged
on the other blocks.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

from backend.maps.embeddings import embed
from backend.maps.request import Request

POINTS, NEAREST, BLOCK = 50, 100, 8


def tokens_of(path: Path) -> NDArray[np.float64]:
    """Return values [features, rows, columns], NaN where there is no data."""
    with rasterio.open(path) as file:
        raw, nodata = file.read(), file.nodata
        scale, offset = (np.array(x)[:, None, None] for x in (file.scales, file.offsets))
    values: NDArray[np.float64] = np.where(raw == nodata, np.nan, raw * scale + offset)
    return values


def similarity(floats: NDArray[np.float64], coded: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the largest and the mean difference of cosines, and the share of nearest patches that are the same."""
    unit = [x / np.linalg.norm(x, axis=0) for x in (floats, coded)]
    points = np.random.default_rng(1).choice(floats.shape[1], POINTS, replace=False)
    cosines = [x[:, points].T @ x for x in unit]
    nearest = [np.argsort(-c, axis=1)[:, :NEAREST] for c in cosines]
    same = [len(set(a) & set(b)) / NEAREST for a, b in zip(*(n.tolist() for n in nearest))]
    difference = np.abs(cosines[0] - cosines[1])
    return float(difference.max()), float(difference.mean()), float(np.mean(same))


def labels_of(classes: Path, shape: tuple[int, int], patch: int) -> NDArray[np.int64]:
    """Return the class of most pixels of each patch; 0 where there is none, or fewer than half agree."""
    with rasterio.open(classes) as file:
        values = file.read(1)
    labels = np.zeros(shape, np.int64)
    for row, column in np.ndindex(shape):
        cell = values[row * patch : (row + 1) * patch, column * patch : (column + 1) * patch]
        counts = np.bincount(cell.ravel(), minlength=1)
        labels[row, column] = counts.argmax() if 2 * counts.max() > patch * patch else 0
    return labels


def own_classes(tokens: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the share of patches of held-out blocks whose class is right."""
    rows, columns = np.indices(labels.shape)
    held = ((rows // BLOCK + columns // BLOCK) % 2).astype(bool)
    known = (labels > 0) & np.isfinite(tokens[0])
    scaler = StandardScaler().fit(tokens[:, known & ~held].T)
    model = LogisticRegression(max_iter=500).fit(scaler.transform(tokens[:, known & ~held].T), labels[known & ~held])
    found = model.predict(scaler.transform(tokens[:, known & held].T))
    return float(accuracy_score(labels[known & held], found))


def main() -> None:
    """Print sizes, differences of cosines, and accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path)
    parser.add_argument("--classes", type=Path)
    parser.add_argument("--model")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = {bits: Path(folder) / f"{bits}.tif" for bits in (32, 8)}
        for bits, path in paths.items():
            embed(Request(str(given.scene), path, given.model), bits=bits)
        sizes = {bits: path.stat().st_size for bits, path in paths.items()}
        tokens = {bits: tokens_of(path) for bits, path in paths.items()}
    print(f"bytes: {sizes[32]} as floats, {sizes[8]} as bytes: {sizes[8] / sizes[32]:.2f}")
    valid = np.isfinite(tokens[32][0])
    worst, mean, same = similarity(tokens[32][:, valid], tokens[8][:, valid])
    print(f"cosine: differs by {worst:.5f} at most, {mean:.6f} in the mean")
    print(f"nearest patches: {same:.1%} are the same")
    if given.classes:
        with rasterio.open(given.scene) as file:
            patch = -(-file.height // valid.shape[0])
        labels = labels_of(given.classes, valid.shape, patch)
        right = {bits: own_classes(tokens[bits], labels) for bits in (32, 8)}
        print(f"own classes, held out: {right[32]:.4f} right from floats, {right[8]:.4f} from bytes")


if __name__ == "__main__":
    main()
