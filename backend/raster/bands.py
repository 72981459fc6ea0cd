"""Match bands of a raster to those of a model: by request, by name, or by position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.enums import ColorInterp

from backend.core.errors import InputError
from backend.raster.band_labels import FILE_NAMES, NAMES, label_bands, others_by_file
from backend.raster.band_names import HINT, MOST_LISTED, POLARISATIONS, BandName, pair_bands, parse
from backend.raster.foreign import only_inside, refuse_colours

ASKED, POSITION = "asked", "position"
OTHER_FILE = "Give the file of the other polarisation too (--with, in QGIS Further rasters of the scene)."
_WORDS = {ASKED: "as asked", NAMES: "by their descriptions", FILE_NAMES: "by names of files", POSITION: "by position"}


@dataclass(frozen=True)
class BandChoice:
    """Hold bands of an opened raster that a model reads.

    Attributes:
        numbers: Band numbers, from 1, without missing bands.
        present: Positions of these bands in the model's names.
        notes: (level, message) pairs for the log.
        found_by: ASKED, NAMES (of bands), FILE_NAMES or POSITION; POSITION where no names were wanted.
    """

    numbers: tuple[int, ...]
    present: tuple[int, ...]
    notes: tuple[tuple[str, str], ...] = ()
    found_by: str = POSITION


def choose_bands(
    file: Any, path: str, names: Sequence[str], requested: Sequence[int] | None, allows_missing: bool
) -> BandChoice:
    """Choose and check the bands of an opened raster.

    Args:
        file: Opened rasterio dataset.
        path: Its name, for messages.
        names: See `pick_bands`; if empty, all bands but alpha are chosen, or those requested.
        requested: See `pick_bands`.
        allows_missing: See `pick_bands`.

    Raises:
        InputError: See `pick_bands`; also if there are no bands, or a chosen one is complex.
    """
    if file.count == 0:
        raise only_inside(file, path)
    # rasterio makes these lists at each access, which is slow for tens of thousands of bands.
    usable = [band for band, kind in enumerate(file.colorinterp, 1) if kind != ColorInterp.alpha]
    if names:
        labels = label_bands(file, usable)
        chosen, how = pick_bands(labels.texts, usable, names, requested, allows_missing)
        if how == NAMES and any(labels.where[band - 1] == FILE_NAMES for band in chosen if band):
            how = FILE_NAMES
        if how == POSITION and others_by_file(path, names):
            raise _polarised_otherwise(others_by_file(path, names), names)
        if how == POSITION:
            refuse_colours(file, path, chosen)
        present = tuple(position for position, band in enumerate(chosen) if band)
        left_out = () if how == ASKED else (*_left_out(labels.texts, usable, chosen), *_masks(labels.texts, usable))
        notes = (*_notes(names, chosen, how, len(usable)), *left_out)
        choice = BandChoice(tuple(filter(None, chosen)), present, notes, how)
    else:
        numbers = tuple(requested or usable)
        choice = BandChoice(numbers, tuple(range(len(numbers))))
    kinds = file.dtypes
    for band in choice.numbers:
        if plain_dtype(kinds[band - 1]).kind == "c":
            raise InputError(
                f"Band {band} of {path} is complex ({kinds[band - 1]}); backscatter is real.",
                "Detect and calibrate the product to gamma0 or sigma0 first (SLC data can't be used directly).",
            )
    return choice


def _notes(names: Sequence[str], chosen: Sequence[int], how: str, count: int) -> tuple[tuple[str, str], ...]:
    pairs = ", ".join(f"{name} = band {band}" for name, band in zip(names, chosen) if band)
    level = "warning" if how == POSITION and count > len(names) else "info"
    notes = [(level, f"Bands {_WORDS[how]}: {pairs}.")]
    missing = ", ".join(name for name, band in zip(names, chosen) if not band)
    if missing:
        notes.append(("warning", f"The raster has no {missing}; the model runs without, and accuracy is lower."))
    return tuple(notes)


def _left_out(texts: Sequence[str], usable: Sequence[int], chosen: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """Warn about further bands of the polarisations chosen, such as other dates."""
    taken = [parse(texts[band - 1]) for band in chosen if band]
    wanted, groups = {name.backscatter for name in taken} - {""}, {name.group for name in taken}
    more = [b for b in usable if parse(texts[b - 1]).backscatter in wanted and parse(texts[b - 1]).group not in groups]
    if not more or not wanted:
        return ()
    return (("warning", f"Left out: {_listed(texts, more)}. To map other bands, choose them with --bands."),)


def _masks(texts: Sequence[str], usable: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """Warn about bands that are masks by their names: which values stand for no data is not known."""
    masks = [band for band in usable if "mask" in parse(texts[band - 1]).kinds]
    if not masks:
        return ()
    text = f"Not applied: {_listed(texts, masks)}. Pixels that it marks are mapped, unless they are nodata."
    return (("warning", f"{text} To leave them out, set them to nodata first."),)


def plain_dtype(name: str) -> np.dtype[Any]:
    """Return the NumPy type of a band; complex types of GDAL that NumPy lacks become complex64."""
    return np.dtype("complex64" if name.startswith("complex") else name)


def pick_bands(
    descriptions: Sequence[str | None],
    usable: Sequence[int],
    names: Sequence[str],
    requested: Sequence[int] | None,
    allows_missing: bool = False,
) -> tuple[tuple[int, ...], str]:
    """Choose a band for each name.

    Args:
        descriptions: Names of every band of the raster, in order; None or "" if a band has none.
        usable: Band numbers (from 1) that may be chosen without a request: all but alpha.
        names: Bands of the model, such as ("VV", "VH").
        requested: Band numbers given by the user, in the order of `names`, 0 for a missing band; or None.
        allows_missing: Whether the model can run without some of the bands.

    Returns:
        Band numbers in the order of `names`, 0 for a missing band, and ASKED, NAMES or POSITION.

    Raises:
        InputError: There are too few bands, a band number is unknown or given twice, names match only some of the
            model's, or say that the bands are something else, or leave it open which bands belong together.
    """
    if requested:
        return _requested(len(descriptions), names, requested, allows_missing), ASKED
    texts = [text or "" for text in descriptions]
    allowed = set(usable)
    found = {name: [b for b in numbers if b in allowed] for name, numbers in find_bands(texts, names).items()}
    missing = [name for name in names if not found[name]]
    if missing:
        _refuse_others(texts, usable, names, bool(len(missing) < len(names)))
    if len(missing) < len(names):
        if missing and not allows_missing:
            raise InputError(
                f"The model wants {', '.join(names)}; no band {', '.join(missing)} among {_listed(texts, usable)}.",
                HINT if len(usable) >= len(names) else OTHER_FILE,
            )
        chosen = pair_bands(texts, found)
        return tuple(chosen.get(name, 0) for name in names), NAMES
    unnamed = [band for band in usable if not parse(texts[band - 1]).tells]
    if len(unnamed) < len(names):
        others = [band for band in usable if band not in unnamed]
        besides = f", beside {_listed(texts, others)}" if others else ""
        raise InputError(
            f"The raster has {len(unnamed)} band{'s' * (len(unnamed) != 1)}{besides}; the model wants {len(names)} "
            f"({', '.join(names)}).",
            _too_few(names) if allows_missing else f"{OTHER_FILE} Or choose another model.",
        )
    return tuple(unnamed[: len(names)]), POSITION


def _refuse_others(texts: Sequence[str], usable: Sequence[int], names: Sequence[str], some: bool) -> None:
    """Refuse bands of other polarisations, and bands that are something else than backscatter and nothing beside."""
    wanted = {polarisation for name in names for polarisation in parse(name).polarisations}
    told = {band: parse(texts[band - 1]) for band in usable}
    others = {name.backscatter for name in told.values()} - wanted - {""}
    if wanted and others:
        found = {name.backscatter for name in told.values()} - {""}
        raise _polarised_otherwise([name for name in POLARISATIONS if name in found], names)
    named = [band for band, name in told.items() if len(name.polarisations) == 1]
    if wanted and named and not some:
        raise InputError(
            f"The model wants {', '.join(names)}; no such band among {_listed(texts, usable)}.",
            "Give the raster of the model's bands; or, if the names are wrong, " + HINT[0].lower() + HINT[1:],
        )


def _polarised_otherwise(found: Sequence[str], names: Sequence[str]) -> InputError:
    return InputError(
        f"The raster has {', '.join(found)}; the model was trained on {', '.join(names)}.",
        f"Give a raster of {' and '.join(names)}, or a model for {' and '.join(found)}. Other polarisations look "
        "different to the model.",
    )


def _listed(texts: Sequence[str], bands: Sequence[int]) -> str:
    """Return names of bands for a message, each with what it is if not backscatter."""
    shown = []
    for band in bands[:MOST_LISTED]:
        kinds = parse(texts[band - 1]).kinds
        shown.append(repr(texts[band - 1] or f"band {band}") + (f" ({', '.join(sorted(kinds))})" if kinds else ""))
    more = len(bands) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def find_bands(descriptions: Sequence[str | None], names: Sequence[str]) -> dict[str, list[int]]:
    """Return, by name, the numbers (from 1) of bands that are what it says, and of its date if it has one.

    "Gamma0_VH_db" is VH; "coh_VV" is VV only for a name that says coherence; "S1_winter_VV" is "VV_winter" if there is
    such a name, else VV.
    """
    wanted = {name: parse(name) for name in names}
    result: dict[str, list[int]] = {name: [] for name in names}
    for number, text in enumerate(descriptions, 1):
        found = [name for name in names if _is(text or "", name, wanted[name])]
        for name in found:
            if not any(wanted[name].words < wanted[other].words for other in found):
                result[name].append(number)
    return result


def _is(text: str, name: str, wanted: BandName) -> bool:
    if not wanted.polarisations:
        return re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", text, flags=re.IGNORECASE) is not None
    told = parse(text)
    return told.polarisations == wanted.polarisations and told.kinds == wanted.kinds and wanted.words <= told.words


def _too_few(names: Sequence[str]) -> str:
    example = f"--bands 1{' 0' * (len(names) - 1)}"
    return (
        f"Say which polarisation it is, {example} for {names[0]} only (in QGIS: Polarisation of a single band), or "
        "give the file of the other polarisation too."
    )


def _requested(count: int, names: Sequence[str], requested: Sequence[int], allows_missing: bool) -> tuple[int, ...]:
    if len(requested) != len(names):
        raise InputError(
            f"{len(requested)} band numbers were given; the model wants {len(names)} ({', '.join(names)}).", HINT
        )
    if 0 in requested and not allows_missing:
        raise InputError("A band number is 0, which means a missing band; this model needs all its bands.", HINT)
    if not any(requested):
        raise InputError("All band numbers are 0, which means that all bands are missing.", HINT)
    for band in requested:
        if not 0 <= band <= count:
            raise InputError(f"There is no band {band}; the raster has {count}.", HINT)
        same = [name for name, number in zip(names, requested) if number == band]
        if band and len(same) > 1:
            raise InputError(f"Band {band} is given for {' and '.join(same)}; each needs a band of its own.", HINT)
    return tuple(requested)
