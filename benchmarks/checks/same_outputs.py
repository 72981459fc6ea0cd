"""Compare every output of this checkout with those of another one, file by file.

    git worktree add build/before 62d1773
    python -m benchmarks.checks.same_outputs build/before [RASTER ...] [--json PATH]

Both checkouts map the simulated sample and each RASTER: land cover with confidence and probabilities, attention of all
heads, embeddings with their principal components, similarity to the middle pixel, by PyTorch and, where it is
installed, by OpenVINO. Both learn own classes from the same points of the sample and map with them, and calibrate one
simulated GRD product. Prints, for each file, the share of values that differ and the largest difference. Exit 1 if a
class differs anywhere or a value by more than TOLERANCE of its band's range. About two minutes on two cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from tests.support.make_safe import Scene, make_safe

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "resources" / "sample" / "simulated_s1.tif"
TOLERANCE = 1e-5
POINTS_A_CLASS = 40


@dataclass(frozen=True)
class Difference:
    """Hold how one file of two runs differs: share of unequal values, largest difference over the range."""

    name: str
    unequal: float
    largest: float

    @property
    def passes(self) -> bool:
        """Return whether the file is the same within the tolerance; classes and counts allow none."""
        return self.largest <= TOLERANCE


def run(checkout: Path, *arguments: object) -> None:
    """Run a Python program of a checkout; its output is shown if it fails.

    Raises:
        SystemExit: It failed.
    """
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} in {checkout} failed:\n{done.stdout}{done.stderr}")


def map_raster(checkout: Path, raster: Path, folder: Path, engine: str) -> None:
    """Write all maps of a raster into a folder."""
    common = ("--engine", engine, "--device", "cpu")
    with rasterio.open(raster) as source:
        x, y = source.xy(source.height // 2, source.width // 2)
    run(
        checkout, "-m", "backend", "landcover", raster, folder / "landcover.tif", *common,
        "--confidence", folder / "confidence.tif", "--probabilities", folder / "probabilities.tif",
    )  # fmt: skip
    run(checkout, "-m", "backend", "attention", raster, folder / "attention.tif", "--heads", "all", *common)
    run(checkout, "-m", "backend", "embed", raster, folder / "embeddings.tif", "--pca", folder / "pca.tif", *common)
    run(checkout, "-m", "backend", "similarity", raster, folder / "similarity.tif", "--point", x, y, *common)


def write_samples(path: Path) -> None:
    """Write points of the sample's own land cover as GeoJSON, the same for every checkout."""
    rng = np.random.default_rng(0)
    with rasterio.open(SAMPLE.with_name("simulated_s1_labels.tif")) as source:
        labels, crs = source.read(1), source.crs
        features = []
        for value in np.unique(labels[labels > 0]):
            rows, columns = np.nonzero(labels == value)
            for i in rng.choice(len(rows), min(POINTS_A_CLASS, len(rows)), replace=False):
                point = {"type": "Point", "coordinates": source.xy(int(rows[i]), int(columns[i]))}
                features.append({"type": "Feature", "geometry": point, "properties": {"class": int(value)}})
    name = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{crs.to_epsg()}"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": name, "features": features}))


def learn_classes(checkout: Path, samples: Path, folder: Path) -> None:
    """Learn own classes from the samples, and map the sample with them."""
    model = folder / "own"
    run(
        checkout, "-m", "training.ownclasses", SAMPLE, model, "--samples", samples, "--field", "class", "--no-check",
    )  # fmt: skip
    run(
        checkout, "-m", "backend", "landcover", SAMPLE, folder / "own.tif", "--model", model, "--engine", "pytorch",
        "--device", "cpu",
    )  # fmt: skip


def facts(file: Any) -> str:
    """Return all of a raster but its values, as text: nodata may be NaN, which equals nothing."""
    return f"{file.profile} {file.descriptions} {file.overviews(1)}"


def compare(before: Path, after: Path, name: str) -> Difference:
    """Compare two rasters of the same grid, band by band."""
    with rasterio.open(before) as first, rasterio.open(after) as second:
        if facts(first) != facts(second):
            return Difference(f"{name}: profile", 1.0, np.inf)
        a, b = first.read().astype(np.float64), second.read().astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    span = max(float(np.nanmax(a) - np.nanmin(a)), 1e-12)
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, np.nan_to_num(np.abs(a - b), nan=np.inf))
    if before.name in ("landcover.tif", "own.tif"):
        span = 1e-12
    return Difference(name, float(1 - same.mean()), float(gap.max()) / span)


def engines() -> list[str]:
    """Return the engines that are installed here."""
    return ["pytorch", *(["openvino"] if importlib.util.find_spec("openvino") else [])]


def outputs(checkout: Path, folder: Path, rasters: Sequence[Path], product: Path) -> Iterator[str]:
    """Write everything that a checkout makes into a folder; names of the rasters, relative to it."""
    for number, raster in enumerate(rasters):
        for engine in engines():
            place = folder / f"{number}-{raster.stem}-{engine}"
            place.mkdir(parents=True)
            map_raster(checkout, raster, place, engine)
    samples = folder / "samples.geojson"
    write_samples(samples)
    learn_classes(checkout, samples, folder)
    run(checkout, "-m", "backend", "calibrate", product, folder / "calibrated.tif")
    for path in sorted(folder.rglob("*.tif")):
        yield path.relative_to(folder).as_posix()


def main() -> int:
    """Run the comparison; 0 if all is the same."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkout", type=Path, help="the other checkout")
    parser.add_argument("rasters", type=Path, nargs="*", metavar="RASTER", help="rasters with VV and VH")
    parser.add_argument("--json", type=Path, help="also write the table there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        product = make_safe(folder, Scene())
        rasters = [SAMPLE, *(path.resolve() for path in options.rasters)]
        for name, checkout in (("before", options.checkout.resolve()), ("after", ROOT)):
            (folder / name).mkdir()
            names = list(outputs(checkout, folder / name, rasters, product))
        found = [compare(folder / "before" / name, folder / "after" / name, name) for name in names]
    for item in found:
        print(f"{'same' if item.passes else 'DIFFERS'}  {item.unequal:9.2%} {item.largest:.1e}  {item.name}")
    if options.json:
        options.json.write_text(json.dumps([asdict(item) for item in found], indent=1))
    return int(not all(item.passes for item in found))


if __name__ == "__main__":
    raise SystemExit(main())
