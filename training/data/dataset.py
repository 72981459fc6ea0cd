r"""Read a folder of SAR rasters, labelled or not: backscatter in dB, coherence from 0 to 1.

Layout: images/ (rasters that rasterio reads, of any size, in any sub-folders), optional labels/ with the same names,
files of one scene that differ by the polarisation in their name or folder (P_VV.tif, P_VH.tif) being one image P,
optional dataset.toml, splits.csv (name, group, split) and places.csv (name, place). A plain folder of rasters works
too. A name is a file's path under images/ without its suffix. Keys of dataset.toml, all optional:

    title = "..."             for people, as are product, simulated and seed
    pixel_size_m = 10.0       for files without a pixel size
    ignore_value = 0          value of unlabelled pixels
    label_codes = [[0, 1]]    pairs of a value in label files and its class value (1 to 254); all other values are
                              unlabelled, and ignore_value is not used
    not_labels = [[1, 80]]    pairs of a label and a class value: the label says only that a pixel is not of that class
    scale = 0.01              factor on the files' values, applied after their own scale tags
    nodata = [0, 255]         nodata values, in addition to the files' own nodata tag
    relative = "offset"       "offset" (gain unknown) or "affine" (gain and spread unknown): the file's level, or level
                              and spread, are replaced by the card's mean and standard deviation of that band
    level_jitter_db = 3.0     standard deviation of a random gain that training adds where the level is unknown
    accept_values = false     true: also read values that can't be backscatter
    weight = 1.0              factor on how often training draws from this folder
    places = '^(\d+)_'        marks files that show one place at several dates on the same pixel grid: a regular
                              expression with one group, the name of the place, searched for in the file's stem, then
                              in its name (alternatively, places.csv lists them)
    [[bands]]                 in file order; by default the files' band descriptions are used
    name = "VV"               compared with the card's bands; case is ignored, "Sigma0_VV" is VV
    unit = "db"               db | linear_power | amplitude | coherence (0 to 1, never converted) | auto (the default:
                              recognised from the values; dB if relative is set)
    [[classes]]               the legend: value, name, color "#rrggbb"
    value = 10
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError, UnreadableError
from backend.raster.behind import check_behind
from backend.raster.errors import RASTER_ERRORS
from training.data.dataset_toml import FolderFacts
from training.data.listing import SUFFIXES, list_rasters
from training.data.manifest import read_manifest
from training.data.notices import print_beside, print_left_out
from training.data.places import check_places, name_places
from training.data.rasters import Scale, read_window
from training.data.scenes import find_scenes
from training.data.splits import read_splits


@dataclass(frozen=True)
class Chip:
    """Hold one image in the scale of the bands.

    Attributes:
        db: float32 [B, H, W] in the order of the card's bands, dB (coherence from 0 to 1); bands that the file lacks
            are nan.
        valid: bool [H, W], true where all bands of the file hold data.
        label: uint8 [H, W] of class values, 0 where unlabelled; None without a label file.
        path: The image file.
        level_jitter_db: Standard deviation of the random gain to add in training.
        further: Files of its other bands.
    """

    db: FloatArray
    valid: BoolArray
    label: NDArray[np.uint8] | None
    path: Path
    level_jitter_db: float = 0.0
    further: tuple[Path, ...] = ()


class ChipFolder:
    """Read the images of one data folder, from disk at each access.

    Args:
        root: Data folder.
        bands: The card's bands, which set the order of Chip.db and the level of relative data.
        split: Read only images of this split of splits.csv; None for all.
        together: Whether all processes of a run open this folder at the same time and share the work.
        strict: Refuse files that can't be read; otherwise they are named on standard error and left out.

    Attributes:
        facts: Content of dataset.toml.
        names: Names of the images, in order.
        entries: Facts about each image.
        units: Unit of the backscatter, declared or recognised.
        places: Place by name, of images that have one.

    Raises:
        InputError: There is no raster, one can't be used or contradicts the others, or dataset.toml, splits.csv or
            places.csv can't be used.
    """

    def __init__(
        self,
        root: Path,
        bands: Sequence[Band],
        split: str | None = None,
        together: bool = False,
        strict: bool = True,
    ) -> None:
        self.strict = strict
        self.root, self.bands, self.split = Path(root), tuple(bands), split
        self.facts = FolderFacts.load(self.root / "dataset.toml")
        images, labels = self.root / "images", self.root / "labels"
        self._labels = list_rasters(labels)
        listed = list_rasters(images) if images.is_dir() else list_rasters(self.root, skip=(labels,))
        scenes, beside = find_scenes(listed, self.bands, together=len(self.facts.bands) != 1)
        print_beside(self.root, beside)
        self.names = sorted(scenes)
        if split is not None:
            wanted = {row["name"] for row in read_splits(self.root) if row["split"] == split}
            self.names = [name for name in self.names if name in wanted or wanted & set(scenes[name].names)]
        if not self.names:
            hint = f"Put rasters ({', '.join(SUFFIXES)}) there or in images/."
            if scenes:
                example = min(scenes)
                hint = f"splits.csv names images by their path in the folder without suffix, such as {example!r}."
            where = f"{root}" if split is None else f"split {split!r} of {root}"
            raise InputError(f"No raster in {where}.", hint)
        self._files = {name: scenes[name] for name in self.names}
        manifest = read_manifest(self.root, scenes, self.names, self.facts, self.bands, together)
        self._leave_out(manifest.unreadable)
        self.entries, self.units = manifest.entries, manifest.units
        self.places = name_places(self.root, self.names, self.facts.places)
        check_places(self._files, self.entries, self.places)
        self.band_present = tuple(any(numbers) for numbers in zip(*(entry.numbers for entry in self.entries)))

    def _leave_out(self, unreadable: Mapping[str, str]) -> None:
        if not unreadable:
            return
        first = next(name for name in self.names if name in unreadable)
        if self.strict or len(unreadable) == len(self.names):
            raise UnreadableError(
                f"{len(unreadable)} of {len(self.names)} images in {self.root} can't be read: {unreadable[first]}",
                "Replace or remove the files.",
            )
        lost = {name: unreadable[name] for name in self.names if name in unreadable}
        print_left_out(self.root, lost, len(self.names))
        self.names = [name for name in self.names if name not in unreadable]
        self._files = {name: self._files[name] for name in self.names}

    def readable(self) -> Iterator[tuple[str, Chip]]:
        """Yield names and images; unreadable ones are left out or, if `strict`, refused.

        Raises:
            UnreadableError: An image can't be read, and `strict` is set.
        """
        lost = {}
        for index, name in enumerate(self.names):
            try:
                chip = self[index]
            except UnreadableError as error:
                if self.strict:
                    raise
                lost[name] = error.message
                continue
            yield name, chip
        if lost:
            print_left_out(self.root, lost, len(self.names))

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Chip]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Chip:
        """Read one image whole.

        Raises:
            InputError: The file can't be read.
        """
        values, valid = self.read(index)
        label = self.label(index, valid.shape)
        path, *further = self._files[self.names[index]].paths
        return Chip(values, valid, label, path, self.facts.level_jitter_db, tuple(further))

    def read(self, index: int, window: Sequence[int] | None = None) -> tuple[FloatArray, BoolArray]:
        """Read a window of an image: values and validity as of Chip.

        Args:
            index: Number of the image.
            window: Top, left, height and width in pixels; None for the whole image.

        Raises:
            InputError: The file can't be read.
        """
        entry, facts = self.entries[index], self.facts
        told = facts.nodata, facts.scale, facts.relative
        scale = Scale(self.bands, entry.numbers, self.units, *told, entry.levels, entry.filling)
        return read_window(self._files[entry.name], scale, window)

    def label(self, index: int, shape: tuple[int, ...] | None = None) -> NDArray[np.uint8] | None:
        """Read the labels of an image as of Chip.

        Args:
            index: Index of the image.
            shape: Rows and columns that they must have; any if None.

        Raises:
            InputError: The file can't be read, or has another shape.
        """
        name = self.names[index]
        path = next((self._labels[n] for n in (name, *self._files[name].names) if n in self._labels), None)
        if path is None:
            return None
        check_behind(str(path))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                with rasterio.open(path) as source:
                    label: NDArray[Any] = source.read(1)
        except RASTER_ERRORS as error:
            raise UnreadableError(f"{path} can't be read ({error}).", "Replace or remove the file.") from error
        if shape is not None and label.shape != shape:
            raise InputError(f"{path} has {label.shape} pixels, its image {shape}.", "Give both the same size.")
        if self.facts.label_codes:
            coded = np.zeros(label.shape, dtype=np.uint8)
            for found, value in self.facts.label_codes:
                coded[label == found] = value
            return coded
        # Wider types hold values such as -9999 or 65535, which would become class values if cut to a byte.
        known = (label >= 0) & (label <= 255) & (label != self.facts.ignore_value)
        return np.where(known, label, 0).astype(np.uint8)
