"""Match bands of a raster to those of a model: by request, by description, or by position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.enums import ColorInterp

from backend.core.errors import InputError
from backend.raster.foreign import only_inside

POLARISATION = re.compile(r"(?<![A-Za-z])(VV|VH|HH|HV)(?![A-Za-z])", flags=re.IGNORECASE)
HINT = "Name the bands in the model's order with --bands, for instance --bands 1 2."


@dataclass(frozen=True)
class BandChoice:
    """Bands of an opened raster that a model reads.

    Attributes:
        numbers: Band numbers, from 1, without missing bands.
        present: Positions of these bands in the model's names.
        notes: (level, message) pairs for the log.
    """

    numbers: tuple[int, ...]
    present: tuple[int, ...]
    notes: tuple[tuple[str, str], ...] = ()


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
        # A raster of one unnamed band is often named after its polarisation.
        texts = described(file.descriptions, path) if len(usable) == 1 else file.descriptions
        chosen, how = pick_bands(texts, usable, names, requested, allows_missing)
        present = tuple(position for position, band in enumerate(chosen) if band)
        choice = BandChoice(tuple(filter(None, chosen)), present, _notes(names, chosen, how, len(usable)))
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
    level = "warning" if how == "by position" and count > len(names) else "info"
    notes = [(level, f"Bands {how}: {pairs}.")]
    missing = ", ".join(name for name, band in zip(names, chosen) if not band)
    if missing:
        notes.append(("warning", f"The raster has no {missing}; the model runs without, and accuracy is lower."))
    return tuple(notes)


def plain_dtype(name: str) -> np.dtype[Any]:
    """Return the NumPy type of a band; complex types of GDAL that NumPy lacks become complex64."""
    return np.dtype("complex64" if name.startswith("complex") else name)


def described(descriptions: Sequence[str | None], path: str) -> list[str]:
    """Return the descriptions of bands, with the stem of the file name before those that name no polarisation."""
    stem, texts = Path(path).stem, [text or "" for text in descriptions]
    return [text if POLARISATION.search(text) else f"{stem} {text}".strip() for text in texts]


def pick_bands(
    descriptions: Sequence[str | None],
    usable: Sequence[int],
    names: Sequence[str],
    requested: Sequence[int] | None,
    allows_missing: bool = False,
) -> tuple[tuple[int, ...], str]:
    """Choose a band for each name.

    Args:
        descriptions: Of every band of the raster, in order; None or "" if a band has none.
        usable: Band numbers (from 1) that may be chosen without a request: all but alpha.
        names: Bands of the model, such as ("VV", "VH").
        requested: Band numbers given by the user, in the order of `names`, 0 for a missing band; or None.
        allows_missing: Whether the model can run without some of the bands.

    Returns:
        Band numbers in the order of `names`, 0 for a missing band, and how they were found, for the log.

    Raises:
        InputError: There are too few bands, a band number is unknown or given twice, or descriptions match only some
            of the names.
    """
    wanted = ", ".join(names)
    if requested:
        return _requested(len(descriptions), names, requested, allows_missing), "as asked"
    found = {name: [b for b in numbers if b in usable] for name, numbers in find_bands(descriptions, names).items()}
    if all(found.values()):
        return tuple(found[name][0] for name in names), "by their descriptions"
    if any(found.values()) and allows_missing:
        return tuple(next(iter(found[name]), 0) for name in names), "by their descriptions"
    if any(found.values()):
        have = ", ".join(repr(descriptions[b - 1] or f"band {b}") for b in usable)
        missing = ", ".join(name for name in names if not found[name])
        raise InputError(f"The model wants {wanted}; no band {missing} among {have}.", HINT)
    if len(usable) < len(names):
        raise InputError(
            f"The raster has {len(usable)} band{'s' * (len(usable) != 1)}; the model wants {len(names)} ({wanted}).",
            _too_few(names)
            if allows_missing
            else "Give the file of the other polarisation too, or choose another model.",
        )
    return tuple(usable[: len(names)]), "by position"


def find_bands(descriptions: Sequence[str | None], names: Sequence[str]) -> dict[str, list[int]]:
    """Return, by name, the numbers (from 1) of bands whose description has that name and no other, in any case."""
    matched = [_names(text or "", names) for text in descriptions]
    return {name: [number for number, found in enumerate(matched, 1) if found == {name.upper()}] for name in names}


def acquisition(name: str) -> str:
    """Return the name of a band without its polarisation; bands of one date share it ("vv_winter", "VH_winter")."""
    return POLARISATION.sub("", name).strip(" _-.").lower()


def _too_few(names: Sequence[str]) -> str:
    example = f"--bands 1{' 0' * (len(names) - 1)}"
    return (
        f"Name the bands that are there, and 0 for a missing one ({example} for {names[0]} only), or give the file of "
        "the other polarisation too."
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


def _names(description: str, names: Sequence[str]) -> set[str]:
    """Return the names that occur in a description as separate words: VV in "Sigma0_VV_db", but not in "VVX".

    For a band of one date, "VV_winter", polarisation and date may be apart: "S1_winter_VV". A name that is part of
    another name found is left out: "coh_VV" is not VV if there is a coh_VV.
    """
    found = {name.upper() for name in names if all(_has_word(description, word) for word in _words(name, description))}
    return {name for name in found if not any(name != other and _has_word(other, name) for other in found)}


def _words(name: str, description: str) -> tuple[str, ...]:
    """Return the name itself, or its polarisation and date if the description has them apart."""
    date, polarisation = acquisition(name), POLARISATION.search(name)
    if not date or polarisation is None or _has_word(description, name):
        return (name,)
    return polarisation.group(), date


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", text, flags=re.IGNORECASE) is not None
