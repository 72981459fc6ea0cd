"""What is printed of a data folder: one line that sums it up, and the files that are left out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from backend.core.events import printable, show
from backend.radiometry.convert import is_backscatter
from training.run.distributed import first_process

if TYPE_CHECKING:
    from training.data.dataset import ChipFolder

_UNITS = {"db": "dB", "linear_power": "linear power", "amplitude": "amplitude"}
# Files that are named one by one.
MOST_NAMED = 20
# What this process has said: a folder may be opened for each of its splits, and a file be drawn from again and again.
_said: set[tuple[Path, str]] = set()


def describe(folder: ChipFolder) -> str:
    """Such as "DIR: 3 files, VV VH, linear power, 10 m, 412 Mpx valid"."""
    entries = folder.entries
    having = Counter(i for entry in entries for i, number in enumerate(entry.numbers) if number)
    radar = is_backscatter(folder.bands)
    bands = [
        band.name + (f" (in {having[i]})" if having[i] < len(entries) else "")
        for i, band in enumerate(folder.bands)
        if having[i]
    ]
    parts = [f"{len(entries)} file{'s' * (len(entries) != 1)}", " ".join(bands)]
    if any(radar[i] for i in having):
        parts.append(_UNITS[folder.units.value] + (", level unknown" if folder.facts.relative else ""))
    sizes = sorted({f"{entry.pixel_m:.3g}" for entry in entries if entry.pixel_m}, key=float)
    parts.append(f"{'-'.join(dict.fromkeys((sizes[0], sizes[-1])))} m" if sizes else "pixel size unknown")
    parts.append(f"{sum(entry.pixels for entry in entries) / 1e6:.3g} Mpx valid")
    dates = Counter(folder.places.values())
    if dates:
        parts.append(f"{sum(count > 1 for count in dates.values())} places of up to {max(dates.values())} dates")
    strips = sum(entry.strips for entry in entries)
    if strips:
        parts.append(f"{strips} stored in strips: slow to draw from, gdal_translate -co TILED=YES makes tiles of them")
    return f"{folder.root}: {', '.join(parts)}"


def tell_left_out(root: Path, reasons: Mapping[str, str], total: int) -> None:
    """Name files on standard error, once each, with their number.

    Args:
        root: Their data folder.
        reasons: Why each can't be read, by name.
        total: How many files there are.
    """
    new = {name: reason for name, reason in reasons.items() if (root, name) not in _said}
    if not new or not first_process():
        return
    _said.update((root, name) for name in new)
    lines = [f"{root}: {len(new)} of {total} images can't be read and are left out (--strict refuses them):"]
    lines += [f"  {reason}" for reason in list(new.values())[:MOST_NAMED]]
    if len(new) > MOST_NAMED:
        lines.append(f"  and {len(new) - MOST_NAMED} more")
    show("\n".join(map(printable, lines)), sys.stderr)
