"""Measure what a map loses without one polarisation, next to a random forest that learnt from the other one.

    python -m benchmarks.quality.missing_band REAL [REAL ...] --simulated DIR [DIR ...] --model MODEL

REAL holds images/ (VV, VH in dB) and labels/ (WorldCover values) of real places. Each is mapped by the model from both
bands, from VV alone and from VH alone, and by a random forest on the same bands that learnt from the simulated scenes.
Classes are merged as in `benchmarks.quality.merged`. The model runs with a copy of its card that allows missing
bands.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import tempfile
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from benchmarks.quality.merged import by_forest, by_model, images_of, learn_forest, line, score

CASES = {"VV and VH": (1, 2), "VV alone": (1, 0), "VH alone": (0, 2)}


def main() -> None:
    """Print a line for each place, case and method."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("real", type=Path, nargs="+")
    parser.add_argument("--simulated", type=Path, nargs="+", required=True)
    parser.add_argument("--model", default="sardino-s1-small")
    parser.add_argument("--scenes", type=int, default=300)
    given = parser.parse_args()
    images = [image for root in given.real for image in images_of(root)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        shutil.copytree(model_folder(given.model), folder)
        dataclasses.replace(ModelCard.load(folder / CARD), allows_missing_bands=True).save(folder / CARD)
        for case, bands in CASES.items():
            there = [band for band in bands if band]
            forest, _ = learn_forest(given.simulated, given.scenes, there)
            for name, apply in (("model", by_model(folder, bands)), ("forest", by_forest(forest, there))):
                for place, scores in score(apply, images).items():
                    print(line(f"{name}, {case}", place, scores), flush=True)


if __name__ == "__main__":
    main()
