"""Find which files of a folder are one scene: one file for each polarisation is recognised by name, as in mapping."""

from __future__ import annotations

import os
import re
from collections import ChainMap, Counter
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from backend.card.model_card import Band
from backend.raster.band_labels import is_short
from backend.raster.band_names import parse, polarisation_spans

# Further files of a scene that begin with its name: of HyP3, for instance.
_BESIDE = frozenset("rgb area browse map water overlay color colour thumb thumbnail quicklook preview".split())
_PICTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class SceneFiles:
    """Hold the files that hold one image: mostly one, or one for each polarisation.

    Attributes:
        paths: In the order of their bands.
        names: Name of each of them in the folder, without suffix.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]

    @property
    def source(self) -> list[str]:
        """Return the files for `RasterSource`."""
        return [str(path) for path in self.paths]

    def __str__(self) -> str:
        """Return their name for messages."""
        return " with ".join(map(str, self.paths))

    def stamp(self) -> tuple[int, int]:
        """Return the total size of the files in bytes, and the last change of any in nanoseconds."""
        stats = [os.stat(path) for path in self.paths]
        return sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)


@dataclass(frozen=True)
class _Told:
    """Parse the name of a file: its polarisation, and its folder and name without the polarisation."""

    name: str
    polarisation: str
    folder: str
    stem: str


def find_scenes(
    listed: Mapping[str, Path], bands: Sequence[Band], together: bool = True
) -> tuple[dict[str, SceneFiles], list[Path]]:
    """Put the files of one scene together.

    Args:
        listed: Rasters by name, as of `list_rasters`.
        bands: The card's bands.
        together: Whether files may be put together at all.

    Returns:
        Files by name of the scene, which is that of its file, or the common part of the names of several files. And
        the names of further files of such scenes, which aren't backscatter of these bands and are left out.
    """
    single = {name: SceneFiles((path,), (name,)) for name, path in listed.items()}
    wanted = [parse(band.name) for band in bands]
    if not together or any(len(name.polarisations) != 1 or name.kinds or name.words for name in wanted):
        return single, []
    order = [next(iter(name.polarisations)) for name in wanted]
    told = [found for found in map(_told, listed) if found]
    groups: dict[tuple[str, str], list[_Told]] = {}
    for found in told:
        groups.setdefault((found.folder, found.stem.lower()), []).append(found)
    groups = {key: members for key, members in groups.items() if _is_scene(members, order)}
    members = {member.name for group in groups.values() for member in group}
    beside = _companions(groups.values(), {n: path for n, path in listed.items() if n not in members})
    apart = members | beside
    kept = {name: files for name, files in single.items() if name not in apart}
    scenes: dict[str, SceneFiles] = {}
    for group in groups.values():
        ours = sorted((m for m in group if m.polarisation in order), key=lambda m: order.index(m.polarisation))
        name = _name(ours, ChainMap(scenes, kept))
        scenes[name] = SceneFiles(tuple(listed[m.name] for m in ours), tuple(m.name for m in ours))
    used = {name for files in scenes.values() for name in files.names}
    return {**kept, **scenes}, [listed[name] for name in sorted(apart - used)]


def _is_scene(members: Sequence[_Told], order: Sequence[str]) -> bool:
    counts = Counter(member.polarisation for member in members)
    return max(counts.values()) == 1 and any(name in order for name in counts)


def _told(name: str) -> _Told | None:
    """Return the contents of a name if that is one polarisation of backscatter; of "VV/20200101" the folder counts."""
    path = PurePosixPath(name)
    own, folder = parse(path.name), parse(path.parent.name)
    if own.backscatter:
        return _Told(name, own.backscatter, str(path.parent), _without(path.name))
    if not own.tells and folder.backscatter and is_short(path.parent.name):
        return _Told(name, folder.backscatter, str(path.parent.parent / _without(path.parent.name)), path.name)
    return None


def _without(text: str) -> str:
    """Return a name without its polarisation and the separators next to it."""
    for start, end in reversed(polarisation_spans(text)):
        text = f"{text[:start].rstrip('_-. ')}_{text[end:].lstrip('_-. ')}"
    return text.strip("_-. ")


def _name(ours: Sequence[_Told], taken: Container[str]) -> str:
    if len(ours) == 1:
        return ours[0].name
    shared = (PurePosixPath(ours[0].folder) / ours[0].stem).as_posix()
    return ours[0].name if shared in (".", "") or shared in taken else shared


def _companions(groups: Collection[Sequence[_Told]], others: Mapping[str, Path]) -> set[str]:
    """Return names of files that belong to scenes but aren't bands: angles, heights, masks, pictures."""
    stems: dict[str, set[str]] = {}
    paired = set()
    for group in groups:
        for member in group:
            folder = str(PurePosixPath(member.name).parent)
            stems.setdefault(folder, set()).add(member.stem.lower())
            if len(group) > 1:
                paired.add(folder)
    found = set()
    for name, file in others.items():
        path = PurePosixPath(name)
        folder, text = str(path.parent), path.name.lower()
        if folder not in stems:
            continue
        # Every scene whose name this one begins with, up to a separator.
        ends = [match.start() for match in re.finditer(r"[^a-z0-9]|$", text)]
        rest = next((text[end:] for end in reversed(ends) if end and text[:end] in stems[folder]), None)
        told = parse(path.name)
        other = told.kinds and not told.ratio and (rest is not None or folder in paired)
        words = set(re.findall("[a-z]+", rest or ""))
        picture = rest is not None and (words & _BESIDE or (not rest and file.suffix.lower() in _PICTURES))
        if other or picture:
            found.add(name)
    return found
