"""Make the worked example of the guide: from two simulated scenes to the area of lost forest with its interval.

    .venv/bin/python -m tools.worked_example --out build/worked-example [--write] [--seed 7]
        [--standard-error 0.02] [--places 12]

Two dates of one simulated place are mapped with the bundled model and compared; reference samples are drawn within the
mapped transitions, and "checked" against the simulation's own land cover. Since all of that is known, the estimate can
be compared with the truth. --places also makes that many other places, and counts how often the interval holds the
truth. --write puts the pictures into docs/images and the figures into docs/worked-example.md.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from scipy.ndimage import binary_dilation

from backend.card import worldcover as lc
from backend.change.command import ChangeRequest, change
from backend.change.date_pair import DateInput
from backend.change.reference_samples import SampleFields
from backend.change.sar_command import SarChangeRequest, sar_change
from backend.change.transitions import ARROW
from backend.core.context import Context
from backend.design.command import REFERENCE, DesignRequest, design
from backend.maps.landcover import landcover
from backend.maps.request import Request
from tools.package import ROOT
from training.simulation.fields import coordinates, gaussian_field
from training.simulation.folder import BANDS
from training.simulation.labels import Labels
from training.simulation.layout import add_lakes, add_river, add_settlements, regions
from training.simulation.library import PIXEL_M
from training.simulation.rasters import Place, write_raster
from training.simulation.scene import simulate

PAGE = ROOT / "docs" / "worked-example.md"
SHAPE, EPSG, CORNER = (512, 512), 32632, (500_000, 5_800_000)
# Marks in the page, between which the figures stand.
BEGIN, END = "<!-- figures: tools/worked_example.py -->", "<!-- end of figures -->"
FELLINGS, LARGEST = 40, 48  # rectangles, and their longest side in pixels
HECTARE = 10_000
# Pixels around a change that windows and shadows of edges reach.
NEAR = 6
NAMES = {value: lc.MERGED_NAMES[lc.MERGED_VALUES[group]] for value, group in lc.MERGED.items()}


@dataclass(frozen=True)
class Example:
    """Hold the files of the example, all in one folder."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the path of a file of the example."""
        return self.folder / name


def layouts(seed: int) -> tuple[Labels, Labels]:
    """Return WorldCover codes before and after, uint8 [512, 512]: forest was felled in places, and grew in one."""
    rng = np.random.default_rng(seed)
    before = regions(rng, SHAPE, {lc.TREE: 0.9, lc.GRASS: 0.25, lc.CROP: 0.2})
    add_lakes(rng, before)
    add_river(rng, before)
    add_settlements(rng, before)
    after = before.copy()
    rows, columns = coordinates(SHAPE)
    ragged = gaussian_field(rng, SHAPE, 5.0, 2.6)
    for _ in range(FELLINGS):
        row, column = (rng.uniform(0, side) for side in SHAPE)
        tall, wide = rng.uniform(8, LARGEST, 2)
        inside = np.maximum(np.abs(rows - row) / tall, np.abs(columns - column) / wide) < 0.5 + 0.04 * ragged
        after[inside & (before == lc.TREE)] = lc.GRASS
    grown = np.hypot(rows - 400, columns - 120) < 22 + 4 * ragged
    after[grown & (before == lc.GRASS)] = lc.TREE
    return before, after


def write_scenes(example: Example, seed: int) -> tuple[Labels, Labels]:
    """Simulate both dates and write them; return the true land cover."""
    place = Place(Affine(PIXEL_M, 0, CORNER[0], 0, -PIXEL_M, CORNER[1]), EPSG)
    truths = layouts(seed)
    for number, (truth, name) in enumerate(zip(truths, ("before", "after"))):
        scene = simulate(
            np.random.default_rng(seed), truth, label_jitter=0, nodata_chance=0,
            speckle_rng=np.random.default_rng([seed, number]),
        )  # fmt: skip
        write_raster(example.path(f"simulated_{name}.tif"), scene.db, place, BANDS, float("nan"))
    return truths


def write_samples(example: Example, truths: tuple[Labels, Labels], error: float, seed: int) -> int:
    """Draw samples within the mapped transitions, fill in the true ones, and return their number.

    Args:
        example: Folder with change.tif.
        truths: True classes before and after.
        error: Standard error of the overall accuracy that is wanted.
        seed: Seed of the draw.
    """
    points = example.path("samples.geojson")
    design(
        DesignRequest(str(example.path("change.tif")), points, standard_error=error, seed=seed, overwrite=True),
        Context(),
    )
    collection = json.loads(points.read_text(encoding="utf-8"))
    with rasterio.open(example.path("change.tif")) as file:
        back = ~file.transform
    for feature in collection["features"]:
        column, row = map(int, back * feature["geometry"]["coordinates"])
        before, after = (NAMES[int(truth[row, column])] for truth in truths)
        feature["properties"][REFERENCE] = f"{before}, unchanged" if before == after else f"{before} {ARROW} {after}"
    points.write_text(json.dumps(collection), encoding="utf-8")
    return len(collection["features"])


def compare_maps(example: Example, samples: str | None = None) -> dict[str, Any]:
    """Compare the two maps, with samples if given; return the figures."""
    figures, report = example.path("change.json"), example.path("change.html")
    before, after = (str(example.path(f"landcover_{name}.tif")) for name in ("before", "after"))
    fields = SampleFields(transition=REFERENCE) if samples else SampleFields()
    request = ChangeRequest(
        before, after, example.path("change.tif"), report, figures, samples=samples, fields=fields, overwrite=True
    )
    change(request, Context())
    facts: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
    return facts


def run(example: Example, seed: int, error: float) -> dict[str, Any]:
    """Make all files of the example; return its figures."""
    example.folder.mkdir(parents=True, exist_ok=True)
    truths = write_scenes(example, seed)
    scenes = [example.path(f"simulated_{name}.tif") for name in ("before", "after")]
    for scene, name in zip(scenes, ("before", "after")):
        landcover(Request(str(scene), example.path(f"landcover_{name}.tif"), overwrite=True))
    compare_maps(example)
    count = write_samples(example, truths, error, seed)
    facts = compare_maps(example, str(example.path("samples.geojson")))
    sar = sar_change(
        SarChangeRequest(
            DateInput(str(scenes[0])), DateInput(str(scenes[1])), example.path("sar_change.tif"), level=0.001,
            overwrite=True,
        ),
        Context(),
    )  # fmt: skip
    with rasterio.open(example.path("sar_change.tif")) as file:
        marked = file.read(1) > 1
    forest = [truth == lc.TREE for truth in truths]
    felled = forest[0] & ~forest[1]
    alike = ~binary_dilation(truths[0] != truths[1], iterations=NEAR)
    groups = {group["name"]: group for group in facts["estimates"]["groups"]}
    return {
        "samples": count,
        "true loss": float(np.count_nonzero(felled)) * PIXEL_M**2 / HECTARE,
        "loss": {key: value / HECTARE if key != "units" else value
                 for key, value in groups["Tree cover: lost"].items() if key != "name"},
        "map accuracy": [map_accuracy(example, truth, name) for truth, name in zip(truths, ("before", "after"))],
        "sar": {"felled": float(marked[felled].mean()), "unchanged": float(marked[alike].mean()),
                "looks": sar["looks"]["VV"]["pixel"]},
    }  # fmt: skip


def count_held(folder: Path, places: int, error: float) -> int:
    """Return in how many places, of seeds from 1 on, the interval of lost forest holds the truth."""
    held = 0
    for seed in range(1, places + 1):
        found = run(Example(folder), seed, error)
        held += found["loss"]["low"] <= found["true loss"] <= found["loss"]["high"]
    return held


def map_accuracy(example: Example, truth: Labels, name: str) -> float:
    """Return the share of the pixels whose mapped class is true."""
    with rasterio.open(example.path(f"landcover_{name}.tif")) as file:
        mapped = file.read(1)
    merged = np.zeros(256, np.uint8)
    for value, group in lc.MERGED.items():
        merged[value] = lc.MERGED_VALUES[group]
    return float(np.mean(mapped == merged[truth]))


def figures_text(found: dict[str, Any]) -> str:
    """Format the figures as the table of the page."""
    loss, sar = found["loss"], found["sar"]
    half = (loss["high"] - loss["low"]) / 2
    rows = [
        ("overall accuracy of the map before", f"{100 * found['map accuracy'][0]:.1f} %"),
        ("overall accuracy of the map after", f"{100 * found['map accuracy'][1]:.1f} %"),
        ("forest lost by the maps alone", f"{loss['mapped']:.1f} ha"),
        (
            f"forest lost, estimated from {found['samples']} samples",
            f"**{loss['estimate']:.1f} ± {half:.1f} ha** (95 %)",
        ),
        ("forest lost in truth", f"{found['true loss']:.1f} ha"),
        ("felled pixels that the SAR dates mark (level 0.001)", f"{100 * sar['felled']:.0f} %"),
        ("pixels far from any change that the SAR dates mark", f"{100 * sar['unchanged']:.2f} %"),
    ]
    if "held" in found:
        rows.append((f"places of {found['places']} whose interval holds the truth", str(found["held"])))
    return "\n".join(["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def write_page(found: dict[str, Any]) -> None:
    """Put the figures into the page."""
    text = PAGE.read_text(encoding="utf-8")
    block = f"{BEGIN}\n{figures_text(found)}\n{END}"
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: block, text, flags=re.DOTALL), encoding="utf-8")


def main() -> None:
    """Make the example, print its figures, and write pictures and page if asked."""
    from tools.worked_example_pictures import draw_pictures

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument("--write", action="store_true", help="into docs/")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--standard-error", type=float, default=0.02, help="wanted of the samples (default 0.02)")
    parser.add_argument("--places", type=int, default=0, help="other places for the count of intervals (default 0)")
    given = parser.parse_args()
    example = Example(given.out)
    found = run(example, given.seed, given.standard_error)
    if given.places:
        found = found | {
            "places": given.places,
            "held": count_held(given.out / "places", given.places, given.standard_error),
        }
    print(figures_text(found))
    draw_pictures(given.out, ROOT / "docs" / "images" if given.write else given.out)
    if given.write:
        write_page(found)


if __name__ == "__main__":
    main()
