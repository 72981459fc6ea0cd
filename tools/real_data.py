"""Arrange the real SAR data sets that the bundled model learns from as data folders of links.

    python -m tools.real_data SOURCE OUT

SOURCE holds the sets as published (names and licences: docs/training.md). OUT gets one data folder for each set found,
with a dataset.toml that describes its values and says how often to draw from it. Files are linked, not copied, but for
stacks of dates, which become one file a date. Folders that serve as tests (landcover_dualpol) are for scoring only.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import rasterio

from backend.card import worldcover as lc

# Chips stretched by their own minimum and maximum have lost level and spread; others have lost only a gain. Training
# draws a random level for them, because the true one is unknown.
_STRETCHED = 'nodata = [0, 255]\nrelative = "affine"\nlevel_jitter_db = 3.0\npixel_size_m = 10.0\n'


def _bands(*names: str, unit: str = "db") -> str:
    return "".join(f'[[bands]]\nname = "{name}"\nunit = "{unit}"\n' for name in names)


def _classes(*items: tuple[int, str, str]) -> str:
    return "".join(f'[[classes]]\nvalue = {v}\nname = "{name}"\ncolor = "{color}"\n' for v, name, color in items)


_WEAK = ((1, "vegetated", "#2ca02c"), (2, "bare, built, dry", "#d8b365"), (3, "water", "#0064c8"))
_FLOOD = ((1, "not flooded", "#d8d8d8"), (2, "flooded", "#0064c8"))


@dataclass(frozen=True)
class RealSet:
    """Describe one set under SOURCE, and its dataset.toml.

    Attributes:
        images: Folder of the images, or several, which become sub-folders of images/.
        facts: Text of dataset.toml.
        labels: Folder of the labels, or one for each folder of images.
        splits: Table with columns name, group and split; its names are those of the files in each folder.
        without: Stems of files that are left out.
        series: Folder of stacks, whose bands are pairs of VV and VH of a date each; the images of those places are one
            file a date.
    """

    images: tuple[str, ...]
    facts: str
    labels: tuple[str, ...] = ()
    splits: str = ""
    without: tuple[str, ...] = ()
    series: str = ""


_WORLDCOVER = "".join(
    f'[[classes]]\nvalue = {value}\nname = "{lc.NAMES[value]}"\ncolor = "{lc.COLOURS[value]}"\n'
    f'group = "{lc.MERGED[value]}"\n'
    for value in lc.CODES
)
_TEN_METRES = "pixel_size_m = 10.0\n"

SETS = {
    # The files of a site, before and after, have one number; the files of an OPERA burst have its name and a date.
    "ombria": RealSet(
        ("ombria/before", "ombria/after"),
        _STRETCHED + "places = '^(\\d+)$'\n" + _bands("VV") + _classes(*_WEAK),
        labels=("ombria/weak_before", "ombria/weak_after"),
        splits="ombria/sites.csv",
    ),
    "ombria_flood": RealSet(
        ("ombria/after",),
        _STRETCHED + "label_codes = [[0, 1], [1, 2]]\n" + _bands("VV") + _classes(*_FLOOD),
        labels=("ombria/flood",),
        splits="ombria/sites.csv",
    ),
    "vh_cities": RealSet(
        ("vh_cities",),
        'nodata = [0]\nrelative = "offset"\nlevel_jitter_db = 2.0\npixel_size_m = 8.5\n'
        + _bands("VH", unit="amplitude"),
    ),
    "opera_rtc_30m": RealSet(("opera_rtc_30m",), "places = '^(.*)_\\d{8}$'\n" + _bands("VV", "VH")),
    "vv_coast": RealSet(("vv_coast",), "pixel_size_m = 10.0\n" + _bands("VV")),
    "vh_rivers": RealSet(("vh_rivers",), _bands("VH")),
    "punjab_dualpol": RealSet(("punjab_dualpol",), _bands("VV", "VH")),
    "landcover_dualpol": RealSet(
        ("landcover_dualpol/images",), "ignore_value = 0\n" + _bands("VV", "VH"), labels=("landcover_dualpol/labels",)
    ),
    # Native speckle at 10 m over four continents: drawn more often than its pixels alone would be. The labels are water
    # (80) and "not water" (1), which is no class.
    "floods_dualpol": RealSet(
        ("floods_dualpol/images",),
        _TEN_METRES + "weight = 4.0\nnot_labels = [[1, 80]]\n" + _bands("VV", "VH") + _WORLDCOVER,
        labels=("floods_dualpol/labels",),
    ),
    "finland_forest": RealSet(
        ("finland_forest/images",),
        _TEN_METRES + "weight = 2.0\nplaces = '^(.*?)(?:@.*)?$'\n" + _bands("VV", "VH") + _WORLDCOVER,
        labels=("finland_forest/labels",),
        series="finland_forest/series",
    ),
    # Labels of these lakes are a threshold on the SAR itself, so that they are not arranged.
    "lakes_canada": RealSet(("lakes_canada/images",), _TEN_METRES + "weight = 1.5\n" + _bands("VV", "VH")),
    "parcels_20m": RealSet(("parcels_20m/images",), _bands("VV", "VH") + _WORLDCOVER, labels=("parcels_20m/labels",)),
    "reben": RealSet(
        ("reben/images",),
        _TEN_METRES + "weight = 4.0\n" + _bands("VV", "VH") + _WORLDCOVER,
        labels=("reben/labels",),
        splits="reben/splits.csv",
    ),
    # The chip of Vega Baja is the place of flood_dualpol, a test.
    "landcover_singles": RealSet(
        ("landcover_singles/images",),
        _TEN_METRES + "weight = 2.0\n" + _bands("VV", "VH") + _WORLDCOVER,
        labels=("landcover_singles/labels",),
        without=("sen1floods11_Spain-7370579-s2",),
    ),
    "dualpol_misc": RealSet(("dualpol_misc/images",), _TEN_METRES + _bands("VV", "VH")),
}


def arrange(source: Path, out: Path) -> list[Path]:
    """Make a data folder in `out` for each known set that `source` holds, and return them."""
    made = []
    for name, item in SETS.items():
        if not all((source / images).is_dir() for images in item.images):
            continue
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        parts = [Path(images).name for images in item.images] if len(item.images) > 1 else [""]
        for images, part in zip(item.images, parts):
            _link_files(source / images, folder / "images" / part, item)
        if item.series:
            _split_series(source / item.series, folder / "images")
        if item.labels and all((source / labels).is_dir() for labels in item.labels):
            for labels, part in zip(item.labels, parts):
                _link_files(source / labels, folder / "labels" / part, item)
        (folder / "dataset.toml").write_text(item.facts, encoding="utf-8")
        if item.splits:
            _copy_splits(source / item.splits, folder / "splits.csv", [f"{part}/" if part else "" for part in parts])
        made.append(folder)
    return made


def _link_files(source: Path, folder: Path, item: RealSet) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for target in sorted(source.iterdir()):
        if target.is_dir() or target.stem in item.without:
            continue
        link = folder / target.name
        link.unlink(missing_ok=True)
        link.symlink_to(target.resolve())


def _split_series(source: Path, folder: Path) -> None:
    """Write each date of the stacks as an image of its own, STEM@DATE.tif, in place of the stack's mean."""
    for stack in sorted(source.glob("*.tif")):
        with rasterio.open(stack) as dataset:
            if dataset.count < 4:
                continue
            for first in range(1, dataset.count, 2):
                date = dataset.descriptions[first - 1].partition("_")[2]
                profile = {**dataset.profile, "count": 2}
                with rasterio.open(folder / f"{stack.stem}@{date}.tif", "w", **profile) as made:
                    made.write(dataset.read((first, first + 1)))
                    made.descriptions = ("VV", "VH")
                    made.scales = dataset.scales[first - 1 : first + 1]


def _copy_splits(source: Path, target: Path, parts: list[str]) -> None:
    with source.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    with target.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, ["name", "group", "split"])
        writer.writeheader()
        for part in parts:
            writer.writerows({**{k: row[k] for k in ("group", "split")}, "name": part + row["name"]} for row in rows)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    made = arrange(arguments.source, arguments.out)
    if not made:
        sys.exit(f"error: None of {', '.join(SETS)} is in {arguments.source}.")
    for folder in made:
        print(folder)


if __name__ == "__main__":
    main()
