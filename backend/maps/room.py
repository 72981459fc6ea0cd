"""Whether this machine has the memory that a raster of some width wants: rows of tiles are held whole."""

from __future__ import annotations

import os

from backend.card.model_card import ModelCard
from backend.core.errors import ResourceError

FLOAT_BYTES = 4


def check_room(width: int, card: ModelCard) -> None:
    """Refuse a raster of which not even one row of tiles fits into memory.

    Args:
        width: Columns that the model sees.
        card: Its tile, bands and classes.

    Raises:
        ResourceError: A row of tiles, as read, as prepared and as blended, is larger than all memory of the machine.
    """
    needed = width * card.tile * FLOAT_BYTES * (2 * len(card.bands) + len(card.classes))
    there = _all_memory()
    if there and needed > there:
        raise ResourceError(
            f"A raster of {width} columns needs {needed / 2**30:.0f} GiB of memory at least; there are "
            f"{there / 2**30:.0f} GiB here.",
            "Map it in parts, with --extent.",
        )


def _all_memory() -> int:
    """Bytes of memory in this machine; 0 where that can't be told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 0
