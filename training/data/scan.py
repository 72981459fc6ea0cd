"""One look at a raster: its bands and unit, and where it holds data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.radiometry.checks import ACCEPT, refuse
from backend.radiometry.convert import rows_for_units, to_scale
from backend.radiometry.judge import Told, judge
from backend.radiometry.order import BY_POSITION
from backend.radiometry.units import Units
from backend.raster.bands import find_bands
from backend.raster.sampling import sample_values
from backend.raster.source import RasterSource, gdal_environment
from training.data.coverage import Coverage
from training.data.dataset_toml import COHERENCE, FolderFacts
from training.data.rasters import CACHE_BYTES, thinned

# Rasters of more values than this are never read whole: they are judged by pixels spread over them.
WHOLE_VALUES = 2**24
# Fewer valid pixels than this don't tell a unit.
TELLING_PIXELS = 1000
# Pixels along an axis that are looked at for the unit of a raster that is read whole.
SAMPLE_SIDE = 512
UNIT_HINT = "Or say the unit of the bands in dataset.toml."


@dataclass(frozen=True)
class FileEntry:
    """What a look at a file found.

    Attributes:
        name: Path in the folder without suffix.
        size: Of the file in bytes, by which together with `modified` a change is noticed.
        modified: Time of the last change in nanoseconds.
        height: In pixels.
        width: In pixels.
        dtype: Of the first band used.
        numbers: Band number (from 1) of each of the card's bands; 0 where the file lacks it.
        pixel_m: Pixel size in metres; 0 where unknown.
        grid: CRS and transform as text; empty where unknown.
        strips: Whether it is a large file whose blocks are strips, from which windows are slow to read.
        units: Unit of the backscatter, as recognised or declared; "auto" where too little is valid to tell.
        pixels: Valid pixels; estimated in large files.
        coverage: As of `Coverage.pack`.
        levels: Mean and deviation of each of the card's bands, 0 where it is missing.
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
        """Whether the file is read by windows only."""
        return self.height * self.width * sum(map(bool, self.numbers)) > WHOLE_VALUES


def scan(name: str, path: Path, facts: FolderFacts, bands: Sequence[Band], units: Units) -> FileEntry:
    """Look at a file.

    Args:
        name: Its name in the folder.
        path: Where it is.
        facts: What dataset.toml says.
        bands: The card's bands.
        units: Unit of its backscatter; AUTO to recognise it.

    Raises:
        InputError: The file can't be read, has none of the bands, or its values fit no unit or not the declared one.
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
            named = bool(facts.bands) or any(band["description"] for band in described)
            return _measure(source, path, entry, facts, bands, named)


def _measure(
    source: RasterSource, path: Path, entry: FileEntry, facts: FolderFacts, bands: Sequence[Band], named: bool
) -> FileEntry:
    """Read the pixels and fill in what they tell."""
    height, width = entry.height, entry.width
    if entry.large:
        values, valid = thinned(source)
        # Levels and units come from pixels as they are: those of overviews may be averages.
        sample, sampled = sample_values(source) if valid.any() else (values, valid)
    else:
        values, valid = sample, sampled = source.read(0, height)
    present = [band for band, number in zip(bands, entry.numbers) if number]
    if facts.scale != 1:
        values, sample = values * np.float32(facts.scale), sample * np.float32(facts.scale)
    thin = max(1, sampled.shape[0] // SAMPLE_SIDE), max(1, sampled.shape[1] // SAMPLE_SIDE)
    part = np.s_[:: thin[0], :: thin[1]]
    units, order = _told(path, entry, sample[(slice(None), *part)], sampled[part], facts, (present, named))
    values, sample = values[list(order)], sample[list(order)]
    there = [number for number in entry.numbers if number]
    found = iter(there[row] for row in order)
    numbers = tuple(next(found) if number else 0 for number in entry.numbers)
    # Where nothing tells, only what is no data in every unit is left out; the folder decides later.
    known = Units.DB if units is Units.AUTO else units
    good = to_scale(values, valid, present, known)[1]
    pixels = round(float(good.mean()) * height * width)
    levels = iter(_levels(*to_scale(sample, sampled, present, known)))
    return replace(
        entry,
        numbers=numbers,
        strips=entry.large and source.block_shape[1] == width,
        units=units.value,
        pixels=pixels,
        coverage=Coverage.measure(good, height, width).pack(),
        levels=tuple(next(levels) if number else (0.0, 0.0) for number in entry.numbers),
    )


def _told(
    path: Path,
    entry: FileEntry,
    sample: FloatArray,
    valid: BoolArray,
    facts: FolderFacts,
    told: tuple[Sequence[Band], bool],
) -> tuple[Units, Sequence[int]]:
    """Return the unit, and the rows of the sample in the order of `present`: without names, values tell the order."""
    present, named = told
    units, order = Units(entry.units), range(len(present))
    telling = valid & (sample != 0).any(axis=0)
    if facts.relative or np.count_nonzero(telling) < TELLING_PIXELS:
        return units, order
    kinds = [entry.dtype] * len(present)
    try:
        how = "by names" if named else BY_POSITION
        judged = judge(sample, valid, present, Told(units, how, kinds, accept=facts.accept_values))
        refuse(judged.checks)
    except InputError as error:
        hint = error.hint.replace(ACCEPT, "accept_values = true in dataset.toml")
        raise InputError(f"{path}: {error.message}", f"{hint} {UNIT_HINT}") from error
    return (judged.units if rows_for_units(present) else units), judged.order


def _levels(scaled: FloatArray, good: BoolArray) -> list[tuple[float, float]]:
    if not good.any():
        return [(0.0, 0.0)] * len(scaled)
    picked = (plane[good] for plane in scaled)
    return [(float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))) for values in picked]


def _find_numbers(
    path: Path, descriptions: Sequence[str], facts: FolderFacts, bands: Sequence[Band]
) -> tuple[int, ...]:
    """Band number in the file of each of the card's bands, 0 where it is missing."""
    names = [band.name for band in facts.bands] or list(descriptions)
    if len(descriptions) < len(facts.bands):
        raise InputError(
            f"{path} has {len(descriptions)} bands; dataset.toml names {len(names)}: {', '.join(names)}.",
            "Give it a folder and a dataset.toml of its own.",
        )
    if not any(names) and len(descriptions) == len(bands):
        return tuple(range(1, len(bands) + 1))
    found = find_bands(names, [band.name for band in bands])
    numbers = tuple(next(iter(found[band.name]), 0) for band in bands)
    if not any(numbers):
        wanted = ", ".join(band.name for band in bands)
        raise InputError(
            f"{path} has bands named {names}, none of which is one of {wanted}.",
            "Name them in dataset.toml, one [[bands]] each.",
        )
    for band, number in zip(bands, numbers):
        declared = facts.bands[number - 1].unit if number and facts.bands else Units.AUTO.value
        if declared != Units.AUTO.value and (declared == COHERENCE) != (band.unit == COHERENCE):
            raise InputError(
                f"{path} has {band.name} as {declared}, the model wants {band.unit}.", "Correct one or the other."
            )
    return numbers
