"""Arrange the real SAR data sets that the bundled model learns from as data folders of links.

    python -m tools.real_data SOURCE OUT

SOURCE holds the sets as published (names and licences: docs/training.md). OUT gets one data folder for each set found,
with a dataset.toml that describes its values. Nothing is copied.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

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
    """One set under SOURCE, and its dataset.toml.

    Attributes:
        images: Folder of the images, or several, which become sub-folders of images/.
        facts: Text of dataset.toml.
        labels: Folder of the labels, or one for each folder of images.
        splits: Table with columns name, group and split; its names are those of the files in each folder.
    """

    images: tuple[str, ...]
    facts: str
    labels: tuple[str, ...] = ()
    splits: str = ""


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
}


def arrange(source: Path, out: Path) -> list[Path]:
    """Make a data folder in `out` for each known set that `source` holds, and return them."""
    made = []
    for name, item in SETS.items():
        if not all((source / images).is_dir() for images in item.images):
            continue
        labels = [source / labels for labels in item.labels]
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        names = [Path(images).name for images in item.images]
        parts = _link_folders([source / images for images in item.images], folder / "images", names)
        if labels and all(part.is_dir() for part in labels):
            _link_folders(labels, folder / "labels", names)
        (folder / "dataset.toml").write_text(item.facts, encoding="utf-8")
        if item.splits:
            _copy_splits(source / item.splits, folder / "splits.csv", parts)
        made.append(folder)
    return made


def _link(target: Path, link: Path) -> None:
    if link.is_symlink():
        link.unlink()
    link.symlink_to(target.resolve(), target_is_directory=True)


def _link_folders(sources: list[Path], folder: Path, names: list[str]) -> list[str]:
    """Link one folder as `folder`, or several in it by `names`; return the prefixes of their file names."""
    if len(sources) == 1:
        _link(sources[0], folder)
        return [""]
    folder.mkdir(exist_ok=True)
    for source, name in zip(sources, names):
        _link(source, folder / name)
    return [f"{name}/" for name in names]


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
