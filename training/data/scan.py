"""Scan a raster: its bands, its unit, and where it holds data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.radiometry.convert import is_backscatter, rows_for_units, to_scale
from backend.radiometry.units import Units, check_coherence, check_units, decide_units
from backend.raster.bands import find_bands
from backend.raster.sampling import sample_values
from backend.raster.source import RasterSource, gdal_environment
from training.data.coverage import Coverage
from training.data.dataset_toml import COHERENCE, FolderFacts
from training.data.rasters import CACHE_BYTES, read_subsampled

# Rasters with more values than this are never read whole; evenly spaced pixels are read instead.
WHOLE_VALUES = 2**24
# With fewer valid pixels than this the unit can't be recognised.
ENOUGH_PIXELS = 1000
# Pixels along an axis by which the unit of a raster that is read whole is recognised.
SAMPLE_SIDE = 512
UNIT_HINT = "Or declare the unit of the bands in dataset.toml."


@dataclass(frozen=True)
class FileEntry:
    """Hold what is known of a file.

    Attributes:
        name: Path in the folder without suffix.
        size: Size of the file in bytes; a change of it or of `modified` means a new scan.
        modified: Time of the last change in nanoseconds.
        height: In pixels.
        width: In pixels.
        dtype: Of the first band used.
        numbers: Band number (from 1) of each of the card's bands; 0 if the file lacks it.
        pixel_m: Pixel size in metres; 0 if unknown.
        grid: CRS and transform as text; empty if unknown.
        strips: Whether it is a large file stored in strips, from which reading windows is slow.
        units: Unit of the backscatter, recognised or declared; "auto" if too few pixels are valid.
        pixels: Number of valid pixels; estimated for large files.
        coverage: Text of `Coverage.pack`.
        levels: Mean and standard deviation of each of the card's bands, 0 if it is missing.
    """

    name: str
    size: int
    modified: int
    height: int
    width: int
    dtype: str
    numbers: tuple[int, ...]
    pixel_m: float
    grid: str
    strips: bool
    units: str
    pixels: int
    coverage: str
    levels: tuple[tuple[float, float], ...]

    @property
    def large(self) -> bool:
        """Return whether the file is only read by windows."""
        return self.height * self.width * sum(map(bool, self.numbers)) > WHOLE_VALUES


def scan(name: str, path: Path, facts: FolderFacts, bands: Sequence[Band], units: Units) -> FileEntry:
    """Scan a file.

    Args:
        name: Its name in the folder.
        path: The file.
        facts: Content of dataset.toml.
        bands: The card's bands.
        units: Unit of its backscatter; AUTO to recognise it.

    Raises:
        InputError: The file can't be read, has none of the bands, or has values that contradict the declared unit or
            fit no unit.
    """
    stat = path.stat()
    with gdal_environment(CACHE_BYTES):
        with RasterSource(path) as source:
            described = source.describe_bands()
        numbers = _find_numbers(path, [str(band["description"]) for band in described], facts, bands)
        with RasterSource(path, [n for n in numbers if n], nodata=facts.nodata) as source:
            grid = source.grid
            metres = source.pixel_metres
            entry = FileEntry(
                name=name,
                size=stat.st_size,
                modified=stat.st_mtime_ns,
                height=grid.height,
                width=grid.width,
                dtype=str(source.describe_bands()[0]["dtype"]),
                numbers=numbers,
                pixel_m=round(float(np.mean(metres)), 3) if metres else facts.pixel_size_m,
                grid=f"{grid.crs.to_string()} {tuple(grid.transform)[:6]}" if grid.crs else "",
                strips=False,
                units=units.value,
                pixels=0,
                coverage="",
                levels=((0.0, 0.0),) * len(bands),
            )
            return _measure(source, path, entry, facts, bands)


def _measure(
    source: RasterSource, path: Path, entry: FileEntry, facts: FolderFacts, bands: Sequence[Band]
) -> FileEntry:
    """Complete an entry from the pixels."""
    height, width = entry.height, entry.width
    if entry.large:
        values, valid = read_subsampled(source)
        # Levels and unit are measured on full-resolution pixels, as overviews may hold averages.
        sample, sampled = sample_values(source) if valid.any() else (values, valid)
    else:
        values, valid = sample, sampled = source.read(0, height)
    present = [band for band, number in zip(bands, entry.numbers) if number]
    if facts.scale != 1:
        values, sample = values * np.float32(facts.scale), sample * np.float32(facts.scale)
    thin = max(1, sampled.shape[0] // SAMPLE_SIDE), max(1, sampled.shape[1] // SAMPLE_SIDE)
    part = np.s_[:: thin[0], :: thin[1]]
    units = _recognise_units(path, Units(entry.units), sample[(slice(None), *part)], sampled[part], facts, present)
    # If the unit is not recognised, only values that are nodata in every unit are left out; the folder decides later.
    known = Units.DB if units is Units.AUTO else units
    good = to_scale(values, valid, present, known)[1]
    pixels = round(float(good.mean()) * height * width)
    levels = iter(_levels(*to_scale(sample, sampled, present, known)))
    return replace(
        entry,
        strips=entry.large and source.block_shape[1] == width,
        units=units.value,
        pixels=pixels,
        coverage=Coverage.measure(good, height, width).pack(),
        levels=tuple(next(levels) if number else (0.0, 0.0) for number in entry.numbers),
    )


def _recognise_units(
    path: Path, units: Units, sample: FloatArray, valid: BoolArray, facts: FolderFacts, present: Sequence[Band]
) -> Units:
    rows = rows_for_units(present)
    usable = valid & (sample != 0).any(axis=0)
    if facts.relative or np.count_nonzero(usable) < ENOUGH_PIXELS:
        return units
    try:
        check_coherence(sample[~is_backscatter(present)], valid)
        if not rows:
            return units
        if units is Units.AUTO:
            return decide_units(sample[rows], valid)
        check_units(units, sample[rows], valid)
    except InputError as error:
        raise InputError(f"{path}: {error.message}", f"{error.hint} {UNIT_HINT}") from error
    return units


def _levels(scaled: FloatArray, good: BoolArray) -> list[tuple[float, float]]:
    if not good.any():
        return [(0.0, 0.0)] * len(scaled)
    picked = (plane[good] for plane in scaled)
    return [(float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))) for values in picked]


def _find_numbers(
    path: Path, descriptions: Sequence[str], facts: FolderFacts, bands: Sequence[Band]
) -> tuple[int, ...]:
    """Return the band number in the file of each of the card's bands, 0 if it is missing."""
    names = [band.name for band in facts.bands] or list(descriptions)
    if len(descriptions) < len(facts.bands):
        raise InputError(
            f"{path} has {len(descriptions)} bands; dataset.toml names {len(names)}: {', '.join(names)}.",
            "Put it in another folder with its own dataset.toml.",
        )
    if not any(names) and len(descriptions) == len(bands):
        return tuple(range(1, len(bands) + 1))
    found = find_bands(names, [band.name for band in bands])
    numbers = tuple(next(iter(found[band.name]), 0) for band in bands)
    if not any(numbers):
        wanted = ", ".join(band.name for band in bands)
        raise InputError(
            f"{path} has bands named {names}, none of which is one of {wanted}.",
            "Name the bands in dataset.toml, one [[bands]] entry each.",
        )
    for band, number in zip(bands, numbers):
        declared = facts.bands[number - 1].unit if number and facts.bands else Units.AUTO.value
        if declared != Units.AUTO.value and (declared == COHERENCE) != (band.unit == COHERENCE):
            raise InputError(
                f"{path} has {band.name} as {declared}, the model wants {band.unit}.",
                "Correct one of them.",
            )
    return numbers
