"""Summarise a data folder in a line."""

from __future__ import annotations

from collections import Counter

from backend.radiometry.convert import is_backscatter
from training.data.dataset import ChipFolder

_UNITS = {"db": "dB", "linear_power": "linear power", "amplitude": "amplitude"}


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
