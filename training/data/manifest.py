"""Scan the files of a data folder once and cache the results until a file changes.

The cache is in the user's cache folder (SARDINO_CACHE, or the system's default), since data folders may be read-only or
shared. If the cache can't be read or written, the files are scanned again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Callable

from backend.card.model_card import Band
from backend.core.errors import InputError
from backend.core.events import printable, show
from backend.radiometry.units import Units
from training.data.dataset_toml import FolderFacts
from training.data.file_entry import FileEntry, entry_of, text_of
from training.data.scan import UNIT_HINT
from training.data.scan_many import scan_many
from training.data.scenes import SceneFiles
from training.run.distributed import shared_out
from training.run.files import write_text

VERSION = 5
SAY_EVERY_S, KEEP_EVERY_S = 10.0, 10.0


@dataclass(frozen=True)
class Manifest:
    """Hold the facts about the files of a folder.

    Attributes:
        entries: One per readable file, in the order asked for.
        units: Unit of the backscatter of all files.
        unreadable: Reasons by name, of files that can't be read.
    """

    entries: tuple[FileEntry, ...]
    units: Units
    unreadable: Mapping[str, str]


def read_manifest(
    root: Path,
    files: Mapping[str, SceneFiles],
    names: Sequence[str],
    facts: FolderFacts,
    bands: Sequence[Band],
    together: bool = False,
) -> Manifest:
    """Return the facts about files, from the cache or by scanning them.

    Args:
        root: Data folder.
        files: All its rasters by name.
        names: The files wanted.
        facts: Its dataset.toml.
        bands: The card's bands.
        together: Whether all processes of a run call this at the same time; each scans a share.

    Raises:
        InputError: Bands or units of a file contradict the card, dataset.toml or the other files.
    """
    scans = _Scans(root, files, facts, bands, together)
    found = scans.at(names, facts.units)
    units = facts.units if facts.units is not Units.AUTO else _common_units(list(found.values()), files)
    # Files with too few valid pixels to recognise their unit were scanned as dB.
    silent = [name for name, entry in found.items() if entry.units == Units.AUTO.value]
    if units is not Units.DB and silent:
        found.update(scans.at(silent, units))
    return Manifest(tuple(found[name] for name in names if name in found), units, scans.unreadable)


def _common_units(entries: Sequence[FileEntry], files: Mapping[str, SceneFiles]) -> Units:
    """Decide the unit of a folder by a majority of pixels: dB is recognised reliably, power and amplitude less so."""
    votes: Counter[Units] = Counter()
    for entry in entries:
        votes[Units(entry.units)] += entry.pixels
    votes.pop(Units.AUTO, None)
    if not votes:
        return Units.DB
    units = votes.most_common(1)[0][0]
    for entry in entries:
        if entry.units != Units.AUTO.value and (entry.units == Units.DB.value) != (units is Units.DB):
            raise InputError(
                f"{files[entry.name]} seems to be in {entry.units}, most of its folder in {units.value}.",
                f"Put only files of one unit into a folder. {UNIT_HINT}",
            )
    return units


class _Scans:
    """Look up the entries of a folder's files in its cache, or scan the files."""

    def __init__(
        self, root: Path, files: Mapping[str, SceneFiles], facts: FolderFacts, bands: Sequence[Band], together: bool
    ) -> None:
        self.root, self.files, self.facts, self.bands, self.together = root, files, facts, bands, together
        self.unreadable: dict[str, str] = {}

    def at(self, names: Sequence[str], units: Units) -> dict[str, FileEntry]:
        """Return entries by name, without unreadable files; AUTO recognises the unit."""
        cache = self._cache(units)
        kept = {name: entry for name, entry in _load(cache).items() if name in self.files}
        found: dict[str, FileEntry] = {}
        due = time.monotonic() + KEEP_EVERY_S
        share = shared_out if self.together else _alone
        try:
            for row in share(names, lambda part: self._rows(part, units, kept)):
                found_row = json.loads(row)
                if "unreadable" in found_row:
                    self.unreadable[found_row["name"]] = found_row["unreadable"]
                    continue
                entry = entry_of(found_row)
                found[entry.name] = entry
                now = time.monotonic()
                if now > due:
                    _keep(cache, {**kept, **found})
                    # Of very many files this takes seconds.
                    due = time.monotonic() + max(KEEP_EVERY_S, 20 * (time.monotonic() - now))
        finally:  # also where a file is refused: the others needn't be scanned again
            if any(kept.get(name) != entry for name, entry in found.items()):
                _keep(cache, {**kept, **found})
        return found

    def _rows(self, names: Sequence[str], units: Units, kept: Mapping[str, FileEntry]) -> Iterator[str]:
        """Yield entries as text; for files that can't be read, the reason."""
        changed = [name for name in names if name not in kept or not _same(kept[name], self.files[name])]
        yield from (text_of(kept[name]) for name in set(names) - set(changed))
        said = time.monotonic()
        scanned = scan_many(self.files, changed, self.facts, self.bands, units)
        for number, (name, found) in enumerate(zip(changed, scanned), 1):
            if isinstance(found, FileEntry):
                yield text_of(found)
            else:
                yield json.dumps({"name": name, "unreadable": str(found)})
            if time.monotonic() - said > SAY_EVERY_S and number < len(changed):
                show(printable(f"{self.root}: {number} of {len(changed)} files scanned"), sys.stderr)
                said = time.monotonic()

    def _cache(self, units: Units) -> Path:
        """Return the cache file; its name depends on everything that entries depend on."""
        bands = [(band.name, band.unit) for band in self.bands]
        declared = [(band.name, band.unit) for band in self.facts.bands]
        scaling = (self.facts.scale, self.facts.nodata, self.facts.relative, self.facts.pixel_size_m)
        key = (VERSION, str(self.root.resolve()), units.value, bands, declared, scaling, self.facts.accept_values)
        return cache_folder() / "manifests" / f"{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}.json"


def _alone(names: Sequence[str], work: Callable[[Sequence[str]], Iterable[str]]) -> Iterable[str]:
    return work(names)


def cache_folder() -> Path:
    """Return the folder for files that can be made again."""
    named = os.environ.get("SARDINO_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "sar-land-cover-dino"


def _load(cache: Path) -> dict[str, FileEntry]:
    try:
        rows = json.loads(cache.read_text(encoding="utf-8"))
        return {row["name"]: entry_of(row) for row in rows}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _keep(cache: Path, entries: Mapping[str, FileEntry]) -> None:
    with suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_text(cache, json.dumps([asdict(entry) for entry in entries.values()]))


def _same(entry: FileEntry, files: SceneFiles) -> bool:
    try:
        stamp = files.stamp()
    except OSError:
        return False
    return (entry.size, entry.modified) == stamp
