r"""A folder of SAR rasters, labelled or not, in the scale of a model's bands: backscatter in dB, coherence plain.

Layout: images/ (any raster rasterio reads, of any size, in any sub-folders), optional labels/ with the same names,
optional dataset.toml, splits.csv (name, group, split) and places.csv (name, place). A plain folder of rasters works
too. A name is a file's path under images/ without its suffix. Keys of dataset.toml, all optional:

    title = "..."             for people; so are product, simulated and seed
    pixel_size_m = 10.0       where the files carry none
    ignore_value = 0          value of unlabelled pixels
    label_codes = [[0, 1]]    values of the label files, each with the class value (1 to 254) it stands for; all others
                              are unlabelled then, and ignore_value has no say
    scale = 0.01              factor on the files' values, beside their own scale tags
    nodata = [0, 255]         values that are no data, beside the files' own nodata tag
    relative = "offset"       "offset" (gain unknown) or "affine" (gain and spread unknown): the file's level, or level
                              and spread, are replaced by the card's mean and deviation of that band
    level_jitter_db = 3.0     deviation of the random gain that training adds, where the level is not known
    accept_values = false     true: read values that can't be backscatter all the same
    weight = 1.0              how often pre-training draws from this folder, relative to its share
    places = '^(\d+)_'        files that show one place at several dates, pixel on pixel: a regular expression whose
                              one group names the place, searched for in a file's stem, then in its name (places.csv
                              in its stead lists them)
    [[bands]]                 in file order; otherwise the files' band descriptions
    name = "VV"               held against the card's bands; case is ignored, "Sigma0_VV" is VV
    unit = "db"               db | linear_power | amplitude | coherence (0 to 1, never converted) | auto (recognised
                              from the values, the default; dB where relative is set)
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
from backend.raster.errors import RASTER_ERRORS
from training.data.dataset_toml import FolderFacts
from training.data.listing import SUFFIXES, list_rasters
from training.data.manifest import read_manifest
from training.data.notices import tell_left_out
from training.data.places import check_places, name_places
from training.data.rasters import Scale, read_window
from training.data.splits import read_splits


@dataclass(frozen=True)
class Chip:
    """One image in the scale of the bands.

    Attributes:
        db: float32 [B, H, W] in the order of the card's bands, dB (coherence plain); a band that the file lacks is
            all nan.
        valid: bool [H, W], true where every band that the file has holds data.
        label: uint8 [H, W] of class values, 0 where unlabelled; None without labels.
        path: The image file.
        level_jitter_db: Deviation of the random gain to add in training.
    """

    db: FloatArray
    valid: BoolArray
    label: NDArray[np.uint8] | None
    path: Path
    level_jitter_db: float = 0.0


class ChipFolder:
    """The images of one data folder, read from disk at each access.

    Args:
        root: Data folder.
        bands: The card's bands, which give the order of Chip.db and the level of relative data.
        split: Only images of this split of splits.csv; None for all.
        together: Whether all processes of a run open this folder at the same time, and share the work of it.
        strict: Whether a file that can't be read is refused; else it is named on standard error, and left out.

    Attributes:
        facts: What dataset.toml says.
        names: Of the images, in order.
        entries: What is known of each.
        units: Unit of their backscatter, as declared or recognised.
        places: Place of each image that has one, by name.

    Raises:
        InputError: No raster found, one can't be used or doesn't fit the others, or dataset.toml, splits.csv or
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
        """List the files; those that are new or changed are looked at."""
        self.strict = strict
        self.root, self.bands, self.split = Path(root), tuple(bands), split
        self.facts = FolderFacts.load(self.root / "dataset.toml")
        images, labels = self.root / "images", self.root / "labels"
        self._labels = list_rasters(labels)
        listed = list_rasters(images) if images.is_dir() else list_rasters(self.root, skip=(labels,))
        self.names = sorted(listed)
        if split is not None:
            wanted = {row["name"] for row in read_splits(self.root) if row["split"] == split}
            self.names = [name for name in self.names if name in wanted]
        if not self.names:
            hint = f"Put rasters ({', '.join(SUFFIXES)}) there or in images/."
            if listed:
                example = min(listed)
                hint = f"splits.csv names images by their path in the folder without suffix, such as {example!r}."
            where = f"{root}" if split is None else f"split {split!r} of {root}"
            raise InputError(f"No raster in {where}.", hint)
        self._files = {name: listed[name] for name in self.names}
        manifest = read_manifest(self.root, listed, self.names, self.facts, self.bands, together)
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
                "Replace the files, or take them away.",
            )
        tell_left_out(self.root, {name: unreadable[name] for name in self.names if name in unreadable}, len(self.names))
        self.names = [name for name in self.names if name not in unreadable]
        self._files = {name: self._files[name] for name in self.names}

    def readable(self) -> Iterator[tuple[str, Chip]]:
        """Names and images, without those whose pixels or labels turn out to be unreadable, unless that is refused.

        Raises:
            UnreadableError: `strict`, and one can't be read.
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
            tell_left_out(self.root, lost, len(self.names))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.names)

    def __iter__(self) -> Iterator[Chip]:
        """Images in order of their names."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Chip:
        """Read one image whole.

        Raises:
            InputError: The file can't be read.
        """
        values, valid = self.read(index)
        label = self.label(index, valid.shape)
        return Chip(values, valid, label, self._files[self.names[index]], self.facts.level_jitter_db)

    def read(self, index: int, place: Sequence[int] | None = None) -> tuple[FloatArray, BoolArray]:
        """Some of an image: values and validity as of Chip.

        Args:
            index: Which image.
            place: Top, left, height and width in pixels; None for all of it.

        Raises:
            InputError: The file can't be read.
        """
        entry, facts = self.entries[index], self.facts
        scale = Scale(self.bands, entry.numbers, self.units, facts.nodata, facts.scale, facts.relative, entry.levels)
        return read_window(self._files[entry.name], scale, place)

    def label(self, index: int, shape: tuple[int, ...] | None = None) -> NDArray[np.uint8] | None:
        """Read the labels of an image as of Chip.

        Args:
            index: Which image.
            shape: Rows and columns that they must have; any if None.

        Raises:
            InputError: The file can't be read, or has another shape.
        """
        path = self._labels.get(self.names[index])
        if path is None:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                with rasterio.open(path) as source:
                    label: NDArray[Any] = source.read(1)
        except RASTER_ERRORS as error:
            raise UnreadableError(f"{path} can't be read ({error}).", "Replace the file or take it away.") from error
        if shape is not None and label.shape != shape:
            raise InputError(f"{path} has {label.shape} pixels, its image {shape}.", "Labels and images must match.")
        if self.facts.label_codes:
            coded = np.zeros(label.shape, dtype=np.uint8)
            for found, value in self.facts.label_codes:
                coded[label == found] = value
            return coded
        # Wider types hold other values too, such as -9999 or 65535: no class has them, and cut to a byte one would.
        known = (label >= 0) & (label <= 255) & (label != self.facts.ignore_value)
        return np.where(known, label, 0).astype(np.uint8)
