"""Which bands of a raster are the ones that the model wants: by request, by description, or by position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.enums import ColorInterp

from backend.core.errors import InputError

POLARISATION = re.compile(r"(?<![A-Za-z])(VV|VH|HH|HV)(?![A-Za-z])", flags=re.IGNORECASE)
HINT = "Name the bands in the model's order with --bands, for instance --bands 1 2."


@dataclass(frozen=True)
class BandChoice:
    """Bands of an opened raster that a model reads.

    Attributes:
        numbers: From 1, of what is there.
        present: Positions of these in the model's names.
        notes: (level, message) of what a user should know.
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
        names: As for `pick_bands`; without any, all bands but alpha are taken, or those requested.
        requested: As for `pick_bands`.
        allows_missing: As for `pick_bands`.

    Raises:
        InputError: As of `pick_bands`; or it has no bands, or a chosen one is complex.
    """
    if file.count == 0:
        inner = "; it holds " + ", ".join(file.subdatasets[:3]) if file.subdatasets else ""
        raise InputError(f"{path} has no bands{inner}.", "Give one of the rasters inside it, or another file.")
    # Each look makes these lists again, which counts where there are tens of thousands of bands.
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
                "Detect and calibrate the product to gamma0 or sigma0 first (SLC data can't be used as they are).",
            )
    return choice


def _notes(names: Sequence[str], chosen: Sequence[int], how: str, count: int) -> tuple[tuple[str, str], ...]:
    pairs = ", ".join(f"{name} = band {band}" for name, band in zip(names, chosen) if band)
    level = "warning" if how == "by position" and count > len(names) else "info"
    notes = [(level, f"Bands {how}: {pairs}.")]
    missing = ", ".join(name for name, band in zip(names, chosen) if not band)
    if missing:
        notes.append(("warning", f"The raster has no {missing}: the model does without, and the map is poorer for it."))
    return tuple(notes)


def plain_dtype(name: str) -> np.dtype[Any]:
    """Return NumPy's type of a band; GDAL has complex ones that NumPy lacks."""
    return np.dtype("complex64" if name.startswith("complex") else name)


def described(descriptions: Sequence[str | None], path: str) -> list[str]:
    """Descriptions of a file's bands, with the file's name before each that names no polarisation itself."""
    stem, texts = Path(path).stem, [text or "" for text in descriptions]
    return [text if POLARISATION.search(text) else f"{stem} {text}".strip() for text in texts]


def pick_bands(
    descriptions: Sequence[str | None],
    usable: Sequence[int],
    names: Sequence[str],
    requested: Sequence[int] | None,
    allows_missing: bool = False,
) -> tuple[tuple[int, ...], str]:
    """Choose bands.

    Args:
        descriptions: Of every band of the raster, in order; None or "" where it has none.
        usable: Band numbers (from 1) that may be taken without being asked for: all but alpha.
        names: What the model wants, such as ("VV", "VH").
        requested: Band numbers asked for by the user, in the order of `names`, or None; 0 for one that is missing.
        allows_missing: Whether the model can do without some of them.

    Returns:
        Band numbers in the order of `names`, 0 where one is missing, and how they were found, for the log.

    Raises:
        InputError: Too few bands, an unknown band number, or descriptions that name only some of what is wanted.
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
            else "Give the file of the other polarisation too, or take another model.",
        )
    return tuple(usable[: len(names)]), "by position"


def find_bands(descriptions: Sequence[str | None], names: Sequence[str]) -> dict[str, list[int]]:
    """Numbers (from 1) of the bands whose description speaks of a name, and of no other, by name; case is ignored."""
    spoken = [_names(text or "", names) for text in descriptions]
    return {name: [number for number, said in enumerate(spoken, 1) if said == {name.upper()}] for name in names}


def acquisition(name: str) -> str:
    """What a band's name says beside its polarisation: bands of one date share it ("vv_winter", "VH_winter")."""
    return POLARISATION.sub("", name).strip(" _-.").lower()


def _too_few(names: Sequence[str]) -> str:
    example = f"--bands 1{' 0' * (len(names) - 1)}"
    return (
        f"The model can do without some: say which is there, 0 for what is missing ({example} for {names[0]} alone), "
        "or give the file of the other polarisation too."
    )


def _requested(count: int, names: Sequence[str], requested: Sequence[int], allows_missing: bool) -> tuple[int, ...]:
    if len(requested) != len(names):
        raise InputError(
            f"{len(requested)} band numbers were given; the model wants {len(names)} ({', '.join(names)}).", HINT
        )
    if 0 in requested and not allows_missing:
        raise InputError("A band number is 0, for a band that is missing; the model can't do without any.", HINT)
    if not any(requested):
        raise InputError("All bands were given as missing.", HINT)
    for band in requested:
        if not 0 <= band <= count:
            raise InputError(f"There is no band {band}; the raster has {count}.", HINT)
        same = [name for name, number in zip(names, requested) if number == band]
        if band and len(same) > 1:
            raise InputError(f"Band {band} is given for {' and '.join(same)}; each needs a band of its own.", HINT)
    return tuple(requested)


def _names(description: str, names: Sequence[str]) -> set[str]:
    """Which of the names stand in a description as words of their own: VV in "Sigma0_VV_db", but not in "VVX".

    Of a band of one date, "VV_winter", polarisation and date may stand apart: "S1_winter_VV".

    A name that is only a part of another one found is left out: "coh_VV" is not VV where there is a coh_VV.
    """
    found = {name.upper() for name in names if all(_has_word(description, word) for word in _words(name, description))}
    return {name for name in found if not any(name != other and _has_word(other, name) for other in found)}


def _words(name: str, description: str) -> tuple[str, ...]:
    """The name itself, or its polarisation and its date where the description has them apart."""
    date, polarisation = acquisition(name), POLARISATION.search(name)
    if not date or polarisation is None or _has_word(description, name):
        return (name,)
    return polarisation.group(), date


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", text, flags=re.IGNORECASE) is not None
