"""A folder of SAR rasters, labelled or not, as chips in dB.

Layout: images/ (any raster rasterio reads), optional labels/ with the same stems, optional dataset.toml and splits.csv
(name, group, split). A plain folder of rasters works too. Keys of dataset.toml, all optional:

    title = "..."             for people; so are product, simulated and seed
    pixel_size_m = 10.0       where the files carry none
    ignore_value = 0          value of unlabelled pixels
    scale = 0.01              where the files carry no scale tag
    nodata = [0, 255]         values that are no data, beside the files' own nodata tag
    relative = "offset"       "offset" (gain unknown) or "affine" (gain and spread unknown): the file's level, or level
                              and spread, are replaced by the card's mean and deviation of that band
    level_jitter_db = 3.0     deviation of the random gain that training adds, where the level is not known
    weight = 1.0              how often pre-training draws from this folder, relative to its share
    [[bands]]                 in file order; otherwise the files' band descriptions, in dB
    name = "VV"
    unit = "db"               db | linear_power | amplitude
    [[classes]]               the legend: value, name, color "#rrggbb"
    value = 10
"""

from __future__ import annotations

import csv
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from backend.card import Band, LandCoverClass
from backend.errors import InputError
from backend.radiometry import Units, to_db
from training.config import resolve

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SUFFIXES = (".tif", ".tiff", ".png", ".vrt", ".jp2", ".img")


@dataclass(frozen=True)
class Chip:
    """One image in dB.

    Attributes:
        db: float32 [B, H, W] in the order of the card's bands; a band that the file lacks is all nan.
        valid: bool [H, W], true where every band that the file has holds data.
        label: uint8 [H, W] of class values, 0 where unlabelled; None without labels.
        path: The image file.
        level_jitter_db: Deviation of the random gain to add in training.
    """

    db: NDArray[np.float32]
    valid: NDArray[np.bool_]
    label: NDArray[np.uint8] | None
    path: Path
    level_jitter_db: float = 0.0


@dataclass(frozen=True)
class FileBand:
    """One band of the files: name, and unit ("db", "linear_power" or "amplitude")."""

    name: str
    unit: str = "db"


@dataclass(frozen=True)
class FolderFacts:
    """What dataset.toml says; see the module's text."""

    title: str = ""
    product: str = ""
    simulated: bool = False
    seed: int = 0
    pixel_size_m: float = 0.0
    ignore_value: int = 0
    scale: float = 1.0
    nodata: tuple[float, ...] = ()
    relative: str = ""
    level_jitter_db: float = 0.0
    weight: float = 1.0
    bands: tuple[FileBand, ...] = ()
    classes: tuple[LandCoverClass, ...] = ()

    def __post_init__(self) -> None:
        """Refuse words that have no meaning here."""
        if self.relative not in ("", "offset", "affine"):
            raise InputError(f"relative is {self.relative!r}.", 'Wanted: "offset", "affine", or none.')
        for band in self.bands:
            if band.unit not in ("db", "linear_power", "amplitude"):
                raise InputError(f"Band {band.name!r} has unit {band.unit!r}.", "Wanted: db, linear_power, amplitude.")

    @staticmethod
    def load(path: Path) -> FolderFacts:
        """Read dataset.toml; defaults where there is none.

        Raises:
            InputError: Not TOML, a key that is not known, or a value of the wrong type.
        """
        if not path.is_file():
            return FolderFacts()
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path} is not valid TOML ({error}).", "Mend the file or take it away.") from error
        return resolve(FolderFacts, data)


class ChipFolder:
    """The chips of one data folder, read from disk at each access.

    Args:
        root: Data folder.
        bands: The card's bands, which give the order of Chip.db and the level of relative data.
        split: Only chips of this split of splits.csv; None for all.

    Raises:
        InputError: No raster found, or dataset.toml or splits.csv can't be used.
    """

    def __init__(self, root: Path, bands: Sequence[Band], split: str | None = None) -> None:
        """List the files once; nothing is opened yet but the first, to learn its bands."""
        self.root, self.bands, self.split = Path(root), tuple(bands), split
        self.facts = FolderFacts.load(self.root / "dataset.toml")
        images = self.root / "images"
        self._labels = _by_stem(self.root / "labels")
        listed = _by_stem(images if images.is_dir() else self.root)
        if split is not None:
            wanted = {row["name"] for row in read_splits(self.root) if row["split"] == split}
            listed = {stem: path for stem, path in listed.items() if stem in wanted}
        if not listed:
            where = f"{root}" if split is None else f"split {split!r} of {root}"
            raise InputError(f"No raster in {where}.", f"Put rasters ({', '.join(SUFFIXES)}) there or in images/.")
        self.names = sorted(listed)
        self._paths = [listed[name] for name in self.names]
        self._positions = self._find_bands(self._paths[0])
        self.band_present = tuple(position is not None for position in self._positions)

    def __len__(self) -> int:
        """Number of chips."""
        return len(self._paths)

    def __iter__(self) -> Iterator[Chip]:
        """Chips in order of their names."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Chip:
        """Read one chip.

        Raises:
            InputError: The file can't be read.
        """
        path = self._paths[index]
        values, valid = _read(path, self.facts)
        there = [position for position in self._positions if position is not None]
        good = valid[there].all(axis=0)
        full = np.full((len(self.bands), *good.shape), np.nan, dtype=np.float32)
        for band, position in enumerate(self._positions):
            if position is not None:
                plane = values[position : position + 1]
                full[band : band + 1], positive = to_db(plane, good, self._units(position))
                good &= positive
        valid = good
        self._set_level(full, valid)
        return Chip(full, valid, self._label(index, valid.shape), path, self.facts.level_jitter_db)

    def _units(self, position: int) -> Units:
        return Units(self.facts.bands[position].unit) if self.facts.bands else Units.DB

    def _label(self, index: int, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
        path = self._labels.get(self.names[index])
        if path is None:
            return None
        with _open(path) as source:
            label: NDArray[np.uint8] = source.read(1)
        if label.shape != shape:
            raise InputError(f"{path} has {label.shape} pixels, its image {shape}.", "Labels and images must match.")
        return np.where(label == self.facts.ignore_value, 0, label).astype(np.uint8)

    def _set_level(self, db: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
        if not self.facts.relative or not valid.any():
            return
        for band, plane in zip(self.bands, db):
            level, spread = float(plane[valid].mean()), float(plane[valid].std())
            gain = band.std / max(spread, 1e-3) if self.facts.relative == "affine" else 1.0
            plane -= level
            plane *= gain
            plane += band.mean

    def _find_bands(self, path: Path) -> list[int | None]:
        with _open(path) as source:
            names = [band.name for band in self.facts.bands] or [d or "" for d in source.descriptions]
            count = source.count
        if not any(names) and count == len(self.bands):
            return list(range(count))
        upper = [name.upper() for name in names]
        found = [next((i for i, name in enumerate(upper) if b.name.upper() in name), None) for b in self.bands]
        if all(position is None for position in found):
            wanted = ", ".join(band.name for band in self.bands)
            raise InputError(
                f"{path} has bands named {names}, none of which is one of {wanted}.",
                "Name them in dataset.toml, one [[bands]] each.",
            )
        return found


def read_splits(root: Path) -> list[dict[str, str]]:
    """Rows of splits.csv (name, group, split), with the law checked that a group never crosses splits.

    Raises:
        InputError: The file is missing, lacks a column, or a group crosses splits.
    """
    path = Path(root) / "splits.csv"
    if not path.is_file():
        raise InputError(f"No splits.csv in {root}.", "Write one with the columns name, group, split.")
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    if rows and not {"name", "group", "split"} <= set(rows[0]):
        raise InputError(f"{path} has columns {', '.join(rows[0])}.", "Wanted: name, group, split.")
    home: dict[str, str] = {}
    for row in rows:
        if home.setdefault(row["group"], row["split"]) != row["split"]:
            raise InputError(
                f"Group {row['group']!r} of {path} is in splits {home[row['group']]!r} and {row['split']!r}.",
                "Neighbouring chips leak between splits; keep a group in one split.",
            )
    return rows


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")}


def _open(path: Path) -> rasterio.DatasetReader:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return rasterio.open(path)
    except RasterioError as error:
        raise InputError(f"{path} can't be read ({error}).", "Replace the file or take it away.") from error


def _read(path: Path, facts: FolderFacts) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values float32 [bands, H, W] with scale applied, and validity of each band, same shape."""
    with _open(path) as source:
        try:
            raw = source.read()
            valid = source.read_masks() > 0
        except RasterioError as error:
            raise InputError(f"{path} can't be read ({error}).", "Replace the file or take it away.") from error
        scales, offsets = np.array(source.scales), np.array(source.offsets)
    for value in facts.nodata:
        valid &= raw != value
    scale = (scales * facts.scale).astype(np.float32).reshape(-1, 1, 1)
    values = raw.astype(np.float32) * scale + offsets.astype(np.float32).reshape(-1, 1, 1)
    return values, valid & np.isfinite(values)
