"""Which bands of a raster are the ones that the model wants: by request, by description, or by position."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backend.errors import InputError

_POLARISATION = re.compile(r"(?<![A-Za-z])(VV|VH|HH|HV)(?![A-Za-z])", flags=re.IGNORECASE)
HINT = "Name the bands in the model's order with --bands, for instance --bands 1 2."


def pick_bands(
    descriptions: Sequence[str | None], usable: Sequence[int], names: Sequence[str], requested: Sequence[int] | None
) -> tuple[tuple[int, ...], str]:
    """Choose bands.

    Args:
        descriptions: Of every band of the raster, in order; None or "" where it has none.
        usable: Band numbers (from 1) that may be taken without being asked for: all but alpha.
        names: What the model wants, such as ("VV", "VH").
        requested: Band numbers asked for by the user, in the order of `names`, or None.

    Returns:
        Band numbers in the order of `names`, and how they were found, for the log.

    Raises:
        InputError: Too few bands, an unknown band number, or descriptions that name only some of what is wanted.
    """
    wanted = ", ".join(names)
    if requested:
        return _requested(len(descriptions), names, requested), "as asked"
    found = {name: [b for b in numbers if b in usable] for name, numbers in find_bands(descriptions, names).items()}
    if all(found.values()):
        return tuple(found[name][0] for name in names), "by their descriptions"
    if any(found.values()):
        have = ", ".join(repr(descriptions[b - 1] or f"band {b}") for b in usable)
        missing = ", ".join(name for name in names if not found[name])
        raise InputError(f"The model wants {wanted}; no band {missing} among {have}.", HINT)
    if len(usable) < len(names):
        raise InputError(
            f"The raster has {len(usable)} band{'s' * (len(usable) != 1)}; the model wants {len(names)} ({wanted}).",
            "Stack the polarisations into one raster (for instance with Build Virtual Raster), or take another model.",
        )
    return tuple(usable[: len(names)]), "by position"


def find_bands(descriptions: Sequence[str | None], names: Sequence[str]) -> dict[str, list[int]]:
    """Numbers (from 1) of the bands whose description speaks of a name, and of no other, by name; case is ignored."""
    spoken = [_names(text or "", names) for text in descriptions]
    return {name: [number for number, said in enumerate(spoken, 1) if said == {name.upper()}] for name in names}


def acquisition(name: str) -> str:
    """What a band's name says beside its polarisation: bands of one date share it ("vv_winter", "VH_winter")."""
    return _POLARISATION.sub("", name).strip(" _-.").lower()


def _requested(count: int, names: Sequence[str], requested: Sequence[int]) -> tuple[int, ...]:
    if len(requested) != len(names):
        raise InputError(
            f"{len(requested)} band numbers were given; the model wants {len(names)} ({', '.join(names)}).", HINT
        )
    for band in requested:
        if not 1 <= band <= count:
            raise InputError(f"There is no band {band}; the raster has {count}.", HINT)
    return tuple(requested)


def _names(description: str, names: Sequence[str]) -> set[str]:
    """Which of the names stand in a description as words of their own: VV in "Sigma0_VV_db", but not in "VVX".

    A name that is only a part of another one found is left out: "coh_VV" is not VV where there is a coh_VV.
    """
    found = {name.upper() for name in names if _has_word(description, name)}
    return {name for name in found if not any(name != other and _has_word(other, name) for other in found)}


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", text, flags=re.IGNORECASE) is not None
