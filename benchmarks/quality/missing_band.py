"""What a map loses where a polarisation is missing, beside a random forest that learnt from what is left.

    python -m benchmarks.quality.missing_band REAL [REAL ...] --simulated DIR [DIR ...] --model MODEL

REAL holds images/ (VV, VH in dB) and labels/ (WorldCover values) of real places. Each is mapped by the model with both
bands, with VV alone and with VH alone, through the users' own stream, and by a random forest on the same bands that
learnt from the simulated scenes. Classes are merged as in `benchmarks.quality.real_places`. A model whose card does not
say that it bears missing bands is tried as if it did.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.radiometry.convert import Units
from benchmarks.quality.forest_transfer import GROUPS
from benchmarks.quality.real_places import Map, line, score
from training.study.forest import features

CASES = {"VV and VH": (1, 2), "VV alone": (1, 0), "VH alone": (0, 2)}


def read(image: Path, bands: tuple[int, ...]) -> NDArray[np.float32]:
    """Features of the pixels of a raster, from some of its bands."""
    with rasterio.open(image) as source:
        return features(source.read([band for band in bands if band]).astype(np.float32))


def forest(folders: list[Path], scenes: int, bands: tuple[int, ...]) -> Map:
    """Maps with a random forest that saw these bands of simulated scenes, at most 500 pixels of each."""
    rng, xs, ys = np.random.default_rng(0), [], []
    for folder in folders:
        images = sorted((folder / "images").glob("*.tif"))
        for index in rng.permutation(len(images))[:scenes]:
            with rasterio.open(folder / "labels" / images[index].name) as source:
                y = GROUPS[source.read(1)].ravel()
            pixels = rng.permutation(np.flatnonzero(y >= 0))[:500]
            xs.append(read(images[index], bands)[pixels])
            ys.append(y[pixels])
    learner = RandomForestClassifier(80, min_samples_leaf=20, max_features=5, max_samples=0.5, random_state=0)
    learner.fit(np.concatenate(xs), np.concatenate(ys))

    def apply(image: Path) -> NDArray[np.int16]:
        with rasterio.open(image) as source:
            shape = source.shape
        return learner.predict(read(image, bands)).reshape(shape).astype(np.int16)

    return apply


def network(folder: Path, bands: tuple[int, ...]) -> Map:
    """Maps with the model, from these bands, 0 for one that is missing."""

    def apply(image: Path) -> NDArray[np.int16]:
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "map.tif"
            landcover(Request(str(image), output, folder, bands=bands, units=Units.DB))
            with rasterio.open(output) as source:
                result: NDArray[np.int16] = GROUPS[source.read(1)]
        return result

    return apply


def main() -> None:
    """Print a line for each place, case and method."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("real", type=Path, nargs="+")
    parser.add_argument("--simulated", type=Path, nargs="+", required=True)
    parser.add_argument("--model", default="sardino-s1-small")
    parser.add_argument("--scenes", type=int, default=300)
    given = parser.parse_args()
    images = [image for root in given.real for image in sorted((root / "images").glob("*.tif"))]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        shutil.copytree(model_folder(given.model), folder)
        dataclasses.replace(ModelCard.load(folder / CARD), bears_missing_bands=True).save(folder / CARD)
        for case, bands in CASES.items():
            for name, apply in (
                ("model", network(folder, bands)),
                ("forest", forest(given.simulated, given.scenes, bands)),
            ):
                for place, scores in score(apply, images, lambda label: GROUPS[label]).items():
                    print(line(f"{name}, {case}", place, scores), flush=True)


if __name__ == "__main__":
    main()
