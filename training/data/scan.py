"""Scan a raster: its bands, its unit, and where it holds data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backend.card.model_card import Band
from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import InputError
from backend.radiometry.checks import ACCEPT, refuse
from backend.radiometry.convert import rows_for_units, to_scale
from backend.radiometry.filling import Filling, without
from backend.radiometry.judge import Told, judge
from backend.radiometry.units import Units
from backend.raster.band_labels import NAMES, Labels
from backend.raster.band_names import pair_bands, parse
from backend.raster.bands import POSITION, find_bands
from backend.raster.sampling import sample_values
from backend.raster.source import RasterSource
from training.data.coverage import Coverage
from training.data.dataset_toml import COHERENCE, FolderFacts
from training.data.file_entry import FileEntry
from training.data.rasters import folder_environment, read_subsampled
from training.data.scenes import SceneFiles

# With fewer valid pixels than this the unit can't be recognised.
ENOUGH_PIXELS = 1000
# Pixels along an axis by which the unit of a raster is recognised; fewer of a chip, as a folder may have thousands.
SAMPLE_SIDE, CHIP_SAMPLE_SIDE, CHIP_SIDE = 512, 64, 1024
NAMING_HINT = (
    "Give the polarisation in the description of the band or the name of its file: P_VV.tif and P_VH.tif are paired. "
    "Only if all files of the folder have the same bands in the same order, name them in dataset.toml by [[bands]]."
)
UNIT_HINT = "Or declare the unit of the bands in dataset.toml."


def scan(name: str, path: SceneFiles, facts: FolderFacts, bands: Sequence[Band], units: Units) -> FileEntry:
    """Scan a file.

    Args:
        name: Its name in the folder.
        path: Path of the file; several files of one scene are stacked.
        facts: Content of dataset.toml.
        bands: The card's bands.
        units: Unit of its backscatter; AUTO to recognise it.

    Raises:
        InputError: The file can't be read, has none of the bands, or has values that contradict the declared unit or
            fit no unit.
    """
    size, modified = path.stamp()
    with folder_environment():
        with RasterSource(path.source, nodata=facts.nodata) as source:
            described = [str(band["description"]) for band in source.describe_bands()]
            every = source.labels()
            labels = Labels(*(tuple(part[band - 1] for band in source.bands) for part in (every.texts, every.where)))
            # Positions, from 1, among the bands without alpha.
            places = _find_numbers(path, described, labels, facts, bands)
            numbers = tuple(source.bands[place - 1] if place else 0 for place in places)
            source.read_as([place - 1 for place in places if place], ())
            grid = source.grid
            metres = source.pixel_metres
            entry = FileEntry(
                name=name,
                size=size,
                modified=modified,
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
            named = bool(facts.bands) or any(labels.where) or any(described)
            return _measure(source, path, entry, facts, bands, named)


def _measure(
    source: RasterSource, path: SceneFiles, entry: FileEntry, facts: FolderFacts, bands: Sequence[Band], named: bool
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
    part = _thinned(sampled)
    units, order, filling = _judge(path, entry, sample[(slice(None), *part)], sampled[part], facts, (present, named))
    valid, sampled = without(values, valid, filling), without(sample, sampled, filling)
    values, sample = values[list(order)], sample[list(order)]
    places = [place for place, number in enumerate(entry.numbers) if number]
    there = [number for number in entry.numbers if number]
    found = iter(there[row] for row in order)
    numbers = tuple(next(found) if number else 0 for number in entry.numbers)
    # If the unit is not recognised, only values that are nodata in every unit are left out; the folder decides later.
    known = Units.DB if units is Units.AUTO else units
    level_known = not facts.relative
    good = to_scale(values, valid, present, known, level_known)[1]
    pixels = round(float(good.mean()) * height * width)
    levels = iter(_levels(*to_scale(sample, sampled, present, known, level_known)))
    return replace(
        entry,
        numbers=numbers,
        strips=entry.large and source.block_shape[1] == width,
        units=units.value,
        pixels=pixels,
        coverage=Coverage.measure(good, height, width).pack(),
        levels=tuple(next(levels) if number else (0.0, 0.0) for number in entry.numbers),
        filling=tuple((places[list(order).index(each.row)], each.value) for each in filling),
    )


def _thinned(valid: BoolArray) -> tuple[slice, slice]:
    """Return evenly spaced rows and columns; all of them where too few pixels would be valid."""
    side = CHIP_SAMPLE_SIDE if max(valid.shape) <= CHIP_SIDE else SAMPLE_SIDE
    rows, columns = (slice(None, None, max(1, length // side)) for length in valid.shape)
    few = np.count_nonzero(valid[rows, columns]) < ENOUGH_PIXELS
    return (slice(None), slice(None)) if few and side == CHIP_SAMPLE_SIDE else (rows, columns)


def _judge(
    path: SceneFiles,
    entry: FileEntry,
    sample: FloatArray,
    valid: BoolArray,
    facts: FolderFacts,
    told: tuple[Sequence[Band], bool],
) -> tuple[Units, Sequence[int], Sequence[Filling]]:
    """Return the unit, the rows of the sample in the order of `present`, and the filling of rows as they are.

    Without names, values decide the order.
    """
    present, named = told
    units, order = Units(entry.units), range(len(present))
    usable = valid & (sample != 0).any(axis=0)
    if facts.relative or np.count_nonzero(usable) < ENOUGH_PIXELS:
        return units, order, ()
    kinds = [entry.dtype] * len(present)
    try:
        how = NAMES if named else POSITION
        judged = judge(sample, valid, present, Told(units, how, kinds, accept=facts.accept_values))
        refuse(judged.checks)
    except InputError as error:
        hint = error.hint.replace(ACCEPT, "accept_values = true in dataset.toml")
        raise InputError(f"{path}: {error.message}", f"{hint} {UNIT_HINT}") from error
    return (judged.units if rows_for_units(present) else units), judged.order, judged.filling


def _levels(scaled: FloatArray, good: BoolArray) -> list[tuple[float, float]]:
    if not good.any():
        return [(0.0, 0.0)] * len(scaled)
    picked = (plane[good] for plane in scaled)
    return [(float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))) for values in picked]


def _find_numbers(
    path: SceneFiles, descriptions: Sequence[str], labels: Labels, facts: FolderFacts, bands: Sequence[Band]
) -> tuple[int, ...]:
    """Return the position, from 1, of each of the card's bands among those of the file, 0 if it is missing."""
    declared = list(facts.bands) if len(path.paths) == 1 else []
    names = [band.name for band in declared] or list(labels.texts)
    if len(descriptions) < len(declared):
        raise InputError(
            f"{path} has {len(descriptions)} bands; dataset.toml names {len(names)}: {', '.join(names)}.",
            "Put it in another folder with its own dataset.toml.",
        )
    _check_declared(path, names, labels, bool(declared))
    if not declared and not any(descriptions) and not any(labels.where) and len(descriptions) == len(bands):
        return tuple(range(1, len(bands) + 1))
    try:
        paired = pair_bands(names, find_bands(names, [band.name for band in bands]))
    except InputError as error:
        hint = "Keep one date in a file, or name the bands in dataset.toml."
        raise InputError(f"{path}: {error.message}", hint) from error
    numbers = tuple(paired.get(band.name, 0) for band in bands)
    if not any(numbers):
        wanted = ", ".join(band.name for band in bands)
        raise InputError(f"{path} has bands named {names}, none of which is one of {wanted}.", NAMING_HINT)
    for band, number in zip(bands, numbers):
        unit = declared[number - 1].unit if number and declared else Units.AUTO.value
        if unit != Units.AUTO.value and (unit == COHERENCE) != (band.unit == COHERENCE):
            raise InputError(f"{path} has {band.name} as {unit}, the model wants {band.unit}.", "Correct one of them.")
    return numbers


def _check_declared(path: SceneFiles, names: Sequence[str], labels: Labels, declared: bool) -> None:
    """Refuse a dataset.toml that gives a band another polarisation than the file does."""
    for number, (name, label) in enumerate(zip(names, labels.texts), 1):
        said, found = parse(name).backscatter, parse(label).backscatter
        if declared and said and found and said != found:
            raise InputError(
                f"dataset.toml says that band {number} of {path} is {said}; its name says {found}.",
                "dataset.toml holds for all files of a folder. Files called P_VV.tif and P_VH.tif are paired without "
                "it: take [[bands]] away, or correct the names.",
            )
