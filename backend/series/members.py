"""Open the rasters and products of a series: which bands, which unit, which date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from backend.card.model_card import Band
from backend.core.context import Context
from backend.core.errors import InputError, NothingValidError
from backend.radiometry.checks import OK, UNITS, refuse
from backend.radiometry.units import Units
from backend.raster.acquisition import Span, acquired
from backend.raster.band_names import POLARISATIONS, acquisition, parse
from backend.raster.foreign import refuse_picture
from backend.raster.source import RasterSource
from backend.stream.judged import judge_source

# Each date is a file that stays open; systems allow about a thousand.
MOST = 400
NAMED = 3  # rasters that a message names


@dataclass(frozen=True)
class Reading:
    """Hold how rasters are read.

    Attributes:
        bands: Band numbers of VV and VH, 0 for one that is missing; None to find them by their names.
        units: Unit of the values; AUTO to decide for each raster.
        accept: Whether values that can't be backscatter are accepted.
        titles: Names of files for people, where they differ.
    """

    bands: Sequence[int] | None = None
    units: Units = Units.AUTO
    accept: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """Hold one date of a series.

    Attributes:
        name: Name of its file or product, for messages.
        source: Opened, with judged values.
        bands: Bands that it reads, named by polarisation.
        units: Units of its values.
        span: When it was acquired; None if unknown.
    """

    name: str
    source: RasterSource
    bands: tuple[Band, ...]
    units: Units
    span: Span | None

    @property
    def polarisations(self) -> tuple[str, ...]:
        """Return the names of its bands."""
        return tuple(band.name for band in self.bands)


def scenes(files: Sequence[str]) -> list[list[str]]:
    """Put files together that are polarisations of one scene: names that differ by VV and VH alone, in one folder."""
    groups: dict[tuple[str, str], list[str]] = {}
    for number, file in enumerate(files):
        path = Path(file)
        single = len(parse(path.stem).polarisations) == 1
        groups.setdefault((str(path.parent), acquisition(path.stem) if single else f"/{number}"), []).append(file)
    found: list[list[str]] = []
    for group in groups.values():
        told = [parse(Path(file).stem).polarisations for file in group]
        found += [group] if len(set(told)) == len(group) else [[file] for file in group]
    return found


def open_members(files: Sequence[str], reading: Reading, stack: ExitStack, context: Context) -> list[Member]:
    """Open all dates in files, each judged by itself, and say what was found.

    Args:
        files: Rasters; one may hold several dates, by the names of its bands.
        reading: How they are read.
        stack: Closes them.
        context: Receives messages; a cancel is looked at between files.

    Returns:
        In the order of the files; dates without a valid pixel are left out.

    Raises:
        InputError: One can't be used, or they have other polarisations.
    """
    members: list[Member] = []
    for group in scenes(files):
        for file in group:
            refuse_picture(file)
        for numbers, shared in _dates_in(group, reading):
            context.cancel.check()
            member = _opened(group, numbers, shared, reading, stack, context)
            members += [] if member is None else [member]
            if len(members) > MOST:
                raise InputError(
                    f"The rasters hold more than {MOST} dates.", "Make composites of parts first, of each year, say."
                )
    if not members:
        raise NothingValidError("None of the rasters has a valid pixel.", "Check the nodata value and the bands.")
    _check_alike(members)
    return members


def _dates_in(group: list[str], reading: Reading) -> list[tuple[dict[str, int], str]]:
    """Return the bands by polarisation of each date in the files of a scene, and what their names share.

    Empty bands mean that the choice is left to the usual rules, which know rasters of one date.
    """
    with RasterSource(group) as source:
        texts = source.labels().texts
    told = [parse(text) for text in texts]
    dates: dict[str, dict[str, int]] = {}
    for number, name in enumerate(told, 1):
        if name.backscatter:
            dates.setdefault(name.group, {}).setdefault(name.backscatter, number)
    alike = len({frozenset(bands) for bands in dates.values()}) == 1
    if reading.bands or len(dates) < 2 or not alike:
        return [({}, "")]
    return [(bands, shared) for shared, bands in dates.items()]


def _opened(
    group: list[str], numbers: dict[str, int], shared: str, reading: Reading, stack: ExitStack, context: Context
) -> Member | None:
    """Open and judge one date; None if it has no valid pixel."""
    names = ["VV", "VH"] if reading.bands else _polarisations(group, numbers)
    chosen = [numbers[name] for name in names] if numbers else reading.bands
    source = stack.enter_context(RasterSource(group, chosen, names=names, allows_missing=bool(reading.bands)))
    bands = tuple(Band(names[position], "db", (-70.0, 50.0), 0.0, 1.0) for position in source.present)
    name = reading.titles.get(group[0], Path(group[0]).name) + (f" ({shared})" if shared else "")
    try:
        units, checks = judge_source(source, bands, reading.units, reading.accept)
        refuse(checks)
    except NothingValidError:
        context.reporter.log("warning", f"{name} has no valid pixel; it is left out.")
        return None
    except InputError as error:
        raise InputError(f"{name}: {error.message}", error.hint) from error
    for check in checks:
        if check.verdict != OK:
            context.reporter.log("warning", f"{name}: {check.hint if check.name == UNITS else check.text}")
    return Member(name, source, bands, units, acquired(source, shared))


def _polarisations(group: list[str], numbers: dict[str, int]) -> list[str]:
    """Return the polarisations of a scene by the names of its bands; VV and VH if they tell none.

    Raises:
        InputError: They tell none, and there is one band.
    """
    if numbers:
        return [name for name in POLARISATIONS if name in numbers]
    with RasterSource(group) as source:
        texts = source.labels().texts
    told = {parse(text).backscatter for text in texts}
    if len(texts) == 1 and not told.intersection(POLARISATIONS):
        raise InputError(
            f"{group[0]} has one band, and neither its name nor the file's has the polarisation.",
            "Name the file S1_VV_20210401.tif, for example, or give --bands 1 0 (VV) or 0 1 (VH).",
        )
    return [name for name in POLARISATIONS if name in told] or ["VV", "VH"]


def _check_alike(members: Sequence[Member]) -> None:
    kinds: dict[tuple[str, ...], list[str]] = {}
    for member in members:
        kinds.setdefault(member.polarisations, []).append(member.name)
    if len(kinds) > 1:
        listed = "; ".join(
            f"{' and '.join(kind)} in {', '.join(names[:NAMED])}"
            + f" and {len(names) - NAMED} more" * (len(names) > NAMED)
            for kind, names in kinds.items()
        )
        raise InputError(
            f"The rasters have other polarisations: {listed}.",
            "Give rasters of the same ones; where each polarisation is in a file of its own, give both of each date.",
        )
