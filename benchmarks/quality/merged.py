"""Map and score real places by four merged classes of WorldCover: tree, open, built, water.

Open is shrub, grass, crop, bare, snow, wetland and moss. Folders, of real places or simulated scenes, hold images/
(VV, VH in dB) and labels/ (WorldCover values).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from backend.accuracy.scores import Confusion
from backend.card.worldcover import MERGED
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.radiometry.units import Units
from training.study.forest import features, fit_forest
from training.study.settings import ForestConfig

NAMES = ("tree", "open", "built", "water")
# Merged class index by WorldCover value, -1 where there is none.
GROUPS = np.full(256, -1, dtype=np.int16)
for _value, _name in MERGED.items():
    GROUPS[_value] = NAMES.index(_name)
# Maps a raster to merged classes [H, W], -1 where there is none.
Map = Callable[[Path], NDArray[np.int16]]


def images_of(folder: Path) -> list[Path]:
    """Return the images of a folder, in the order of their names."""
    return sorted((folder / "images").glob("*.tif"))


def label_of(image: Path) -> NDArray[np.uint8]:
    """Read the labels [H, W] of an image."""
    with rasterio.open(image.parents[1] / "labels" / image.name) as source:
        labels: NDArray[np.uint8] = source.read(1)
    return labels


def by_model(model: Path, bands: tuple[int, ...] | None = None) -> Map:
    """Map with a model folder through the stream that users run; `bands` may give 0 for a missing one."""

    def apply(image: Path) -> NDArray[np.int16]:
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "map.tif"
            landcover(Request(str(image), output, model, bands=bands, units=Units.DB))
            with rasterio.open(output) as source:
                result: NDArray[np.int16] = GROUPS[source.read(1)]
        return result

    return apply


def learn_forest(
    folders: Iterable[Path], scenes: int, bands: Sequence[int] = (1, 2)
) -> tuple[RandomForestClassifier, NDArray[np.int16]]:
    """Fit a random forest to at most 500 pixels, in their natural proportions, of some scenes of each folder.

    Args:
        folders: Simulated scenes.
        scenes: Number of scenes of each folder, drawn at random.
        bands: Numbers of the bands that the forest sees.

    Returns:
        The forest, and the merged classes of the pixels that it learnt from.
    """
    xs, ys = [], []
    for folder in folders:
        rng, images = np.random.default_rng(0), images_of(folder)
        for index in rng.permutation(len(images))[:scenes]:
            db = _read(images[index], bands)
            y = np.where(np.isfinite(db).all(axis=0), GROUPS[label_of(images[index])], -1).ravel()
            pixels = rng.permutation(np.flatnonzero(y >= 0))[: ForestConfig.pixels]
            xs.append(features(db)[pixels])
            ys.append(y[pixels])
    x, y = np.concatenate(xs), np.concatenate(ys)
    return fit_forest(x, y, ForestConfig(), seed=0, jobs=2), y


def by_forest(forest: RandomForestClassifier, bands: Sequence[int] = (1, 2)) -> Map:
    """Map with a random forest on features of some bands."""

    def apply(image: Path) -> NDArray[np.int16]:
        db = _read(image, bands)
        return forest.predict(features(db)).reshape(db.shape[1:]).astype(np.int16)

    return apply


def _read(image: Path, bands: Sequence[int]) -> NDArray[np.float32]:
    with rasterio.open(image) as source:
        scales = np.array([source.scales[band - 1] for band in bands], dtype=np.float32)
        values: NDArray[np.float32] = source.read(list(bands)).astype(np.float32) * scales[:, None, None]
    return values


def score(apply: Map, images: Sequence[Path]) -> dict[str, Any]:
    """Return the scores of each place by name, and of all places as "together"."""
    total, result = Confusion(NAMES), {}
    for image in images:
        label, predicted, place = GROUPS[label_of(image)], apply(image), Confusion(NAMES)
        place.add(label, predicted)
        total.add(label, predicted)
        result[image.stem] = place.scores()
    return {**result, "together": total.scores()}


def line(name: str, place: str, scores: dict[str, Any]) -> str:
    """Return one row of a table as text."""
    each = " ".join(f"{key} {item['iou']:.2f}" for key, item in scores["classes"].items())
    return f"{place:16} {name:22} OA {scores['overall_accuracy']:.2f}  mIoU {scores['mean_iou']:.2f}  ({each})"


def rounded(value: Any) -> Any:
    """Round figures to three decimals, as they are shown; counts of pixels are kept."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def named(pairs: Sequence[str]) -> dict[str, Path]:
    """Parse NAME=FOLDER arguments; argparse reports one without "="."""
    split = [pair.rpartition("=") for pair in pairs]
    wrong = [folder for name, _, folder in split if not name]
    if wrong:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is not NAME=MODEL")
    return {name: Path(folder) for name, _, folder in split}
