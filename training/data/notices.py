"""Print a summary line of a data folder, and the files that are left out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backend.core.events import printable, show
from backend.radiometry.convert import is_backscatter
from training.run.distributed import first_process

if TYPE_CHECKING:
    from training.data.dataset import ChipFolder

_UNITS = {"db": "dB", "linear_power": "linear power", "amplitude": "amplitude"}
# Files that are listed by name.
MOST_NAMED = 20
# Files already named by this process: a folder may be opened once per split, and a file is drawn from many times.
_said: set[tuple[Path, str]] = set()


def describe(folder: ChipFolder) -> str:
    """Return a line such as "DIR: 3 files, VV VH, linear power, 10 m, 412 Mpx valid"."""
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
        parts.append(f"{strips} stored in strips, which is slow; gdal_translate -co TILED=YES writes tiles")
    return f"{folder.root}: {', '.join(parts)}"


def print_beside(root: Path, files: Sequence[Path]) -> None:
    """Print to standard error, once, how many files of a folder belong to no scene."""
    if not files or (root, "beside") in _said or not first_process():
        return
    _said.add((root, "beside"))
    names = ", ".join(file.name for file in files[:3]) + (", …" if len(files) > 3 else "")
    text = f"{len(files)} files hold none of the model's bands and are left out"
    print(f"{root}: {text} ({names})", file=sys.stderr, flush=True)


def print_left_out(root: Path, reasons: Mapping[str, str], total: int) -> None:
    """Print files that are left out to standard error, once each, with their number.

    Args:
        root: The data folder.
        reasons: Why each file can't be read, by name.
        total: Number of files in the folder.
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
