"""Write a data folder of simulated scenes: images, labels, ``dataset.toml`` and ``splits.csv``."""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from backend.card import worldcover as lc
from backend.core.atomic_files import refusing, write_files
from backend.core.context import Context
from backend.core.errors import InputError
from training.run.limits import Count, NotNegative, Range, Seed, Share, check_limits
from training.simulation.layout import inject, patch_of, procedural
from training.simulation.library import PIXEL_M, LayoutLibrary
from training.simulation.rasters import TITLE, Place, write_raster
from training.simulation.scene import SimulatedScene, simulate
from training.simulation.series import simulate_series

BANDS = ("VV", "VH")
_BLOCKS = 20


@dataclass(frozen=True)
class SimulationRequest:
    """Describe the data folder to write.

    Attributes:
        out: Folder to write; created if missing.
        scenes: Number of scenes.
        seed: Seed; scene i depends on the seed, i, the size, the layouts and the classes only.
        size: Rows and columns of a scene.
        layouts: Folder of land-cover rasters; None for procedural layouts only.
        classes: Preferred codes: scenes without any of these are avoided; empty for no preference.
        procedural_share: Share of procedural layouts if rasters are given.
        val_groups: Names (or beginnings of names) of the layouts in the validation split.
        val_fraction: Share of the procedural seed blocks in the validation split.
        label_jitter: Misregistration of the labels in pixels.
        nodata_chance: Probability of a swath edge in a scene.
        dates: Dates of each scene over a year; of 1 conditions are drawn as of a scene by itself.
    """

    out: Path
    scenes: Count
    seed: Seed
    size: Annotated[int, Range(16)] = 256
    layouts: Path | None = None
    classes: tuple[int, ...] = ()
    procedural_share: Share = 0.35
    val_groups: tuple[str, ...] = ()
    val_fraction: Share = 0.1
    label_jitter: NotNegative = 0.8
    nodata_chance: Share = 0.06
    dates: Annotated[int, Range(1, 365)] = 1

    def __post_init__(self) -> None:
        """Refuse values out of range and unknown classes."""
        check_limits(self)
        strange = sorted(set(self.classes) - set(lc.CODES))
        if strange:
            raise InputError(f"Unknown classes {strange}.", f"Known WorldCover codes are {sorted(lc.CODES)}.")


_RARE = (lc.SHRUB, lc.BARE, lc.SNOW, lc.WETLAND, lc.MANGROVE, lc.MOSS, lc.BUILT)
_ATTEMPTS = 20


class _Maker:
    """Make scenes of a request; there is one maker per process, so that layouts are read once."""

    def __init__(self, request: SimulationRequest) -> None:
        self.request = request
        self.library = LayoutLibrary(request.layouts) if request.layouts else None

    def _layout(self, rng: np.random.Generator, name: str) -> NDArray[np.uint8]:
        """Make a layout from a raster, at random with waters and a rare class added; procedural if name is empty."""
        shape = (self.request.size, self.request.size)
        if not name or self.library is None:
            return procedural(rng, shape)
        layout = self.library.sample(rng, name, shape)
        known = layout != lc.UNKNOWN
        if rng.random() < 0.3:
            inject(rng, layout)
        if rng.random() < 0.3:
            patch_of(rng, layout, int(rng.choice(_RARE)))
        layout[~known] = lc.UNKNOWN
        return layout

    def make(self, index: int) -> tuple[str, dict[str, SimulatedScene]]:
        """Return the group and scene number ``index``: by date, or by "" if it has one date."""
        request = self.request
        rng = np.random.default_rng([request.seed, index])
        names = self.library.names if self.library else ()
        source = ""
        if names and rng.random() >= request.procedural_share:
            source = names[int(rng.integers(len(names)))]
        layout = self._layout(rng, source)
        for _ in range(_ATTEMPTS):
            if not request.classes or np.isin(layout, request.classes).mean() > 0.02:
                break
            layout = self._layout(rng, source)
        group = source or f"procedural-{index * _BLOCKS // max(request.scenes, _BLOCKS):02d}"
        jitter, edges = request.label_jitter, request.nodata_chance
        if request.dates == 1:
            return group, {"": simulate(rng, layout, label_jitter=jitter, nodata_chance=edges)}
        dates = simulate_series(rng, layout, request.dates, label_jitter=jitter, nodata_chance=edges)
        return group, {dated.day.isoformat(): dated.scene for dated in dates}


def _placed(index: int, size: int) -> Place:
    """Place scene ``index`` next to the others on a grid, so that no two overlap."""
    step = (size + 16) * PIXEL_M
    row, column = divmod(index % 10_000, 100)
    transform = Affine(PIXEL_M, 0, 200_000 + (column * step) % 600_000, 0, -PIXEL_M, 8_000_000 - row * step)
    return Place(transform, 32601 + (index // 10_000) % 60)


def _write_one(index: int) -> list[tuple[str, str]]:
    """Make and write all dates of one scene in a worker; return name and group of each."""
    group, scenes = _worker.make(index)
    request = _worker.request
    place, rows = _placed(index, request.size), []
    for day, scene in scenes.items():
        name = f"simulated_{request.seed}_{index:06d}" + (f"_{day.replace('-', '')}" if day else "")
        dated = {"day": day} if day else {}
        write_raster(request.out / "images" / f"{name}.tif", scene.db, place, BANDS, float("nan"), **dated)
        write_raster(request.out / "labels" / f"{name}.tif", scene.labels[None], place, ("land cover",), 0, **dated)
        rows.append((name, group))
    return rows


_worker: _Maker


def _start(request: SimulationRequest) -> None:
    """Prepare a process to write scenes of ``request``."""
    global _worker
    _worker = _Maker(request)


def _rows(request: SimulationRequest, jobs: int) -> Iterator[list[tuple[str, str]]]:
    """Write all scenes and yield name and group of the dates of each, in order."""
    if jobs <= 1:
        _start(request)
        yield from map(_write_one, range(request.scenes))
        return
    with multiprocessing.get_context("spawn").Pool(jobs, _start, (request,)) as pool:
        yield from pool.imap(_write_one, range(request.scenes), chunksize=8)


def split_of(request: SimulationRequest, group: str) -> str:
    """Return the split of a group, "train" or "val"; it depends on the group alone, so that no group is in both."""
    if group.startswith("procedural-"):
        blocks = min(_BLOCKS, request.scenes)
        held = max(1, round(request.val_fraction * blocks)) if blocks > 1 and request.val_fraction > 0 else 0
        return "val" if int(group.removeprefix("procedural-")) >= blocks - held else "train"
    return "val" if any(group.startswith(name) for name in request.val_groups) else "train"


def dataset_toml(request: SimulationRequest) -> str:
    """Return the text of ``dataset.toml``, which describes bands and labels."""
    lines = [f'title = "{TITLE}"', "simulated = true", f"seed = {request.seed}", f"pixel_size_m = {PIXEL_M}"]
    lines += ['product = "sigma0 or gamma0, by scene"', f"ignore_value = {lc.UNKNOWN}", ""]
    for band in BANDS:
        lines += ["[[bands]]", f'name = "{band}"', 'unit = "db"', ""]
    for code, name in lc.NAMES.items():
        lines += ["[[classes]]", f"value = {code}", f'name = "{name}"', f'color = "{lc.COLOURS[code]}"']
        lines += [f'group = "{lc.MERGED[code]}"', ""]
    return "\n".join(lines)


def write_folder(request: SimulationRequest, jobs: int = 1, context: Context | None = None) -> dict[str, int]:
    """Write a data folder.

    Args:
        request: Folder, scenes and options to write.
        jobs: Number of processes; does not change the files.
        context: Receives progress; its cancel ends the work after the current scene.

    Returns:
        Number of images by split.

    Raises:
        InputError: The folder holds images already, or the layouts can't be used.
        ResourceError: splits.csv and dataset.toml, which are written last and together, can't be written.
        Cancelled: The work was stopped.
    """
    context = context or Context()
    if (request.out / "images").is_dir() and any((request.out / "images").iterdir()):
        raise InputError(f"{request.out} holds images already.", "Name a new or empty folder with --out.")
    if request.layouts:
        LayoutLibrary(request.layouts)  # refuses before processes start
    for folder in ("images", "labels"):
        os.makedirs(request.out / folder, exist_ok=True)
    rows = [("name", "group", "split")]
    for number, scene in enumerate(_rows(request, jobs), 1):
        context.cancel.check()
        context.reporter.progress(number, request.scenes)
        rows += [(name, group, split_of(request, group)) for name, group in scene]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    facts = {"splits.csv": text.getvalue(), "dataset.toml": dataset_toml(request)}
    with refusing(request.out / "splits.csv"):
        write_files({request.out / name: content.encode() for name, content in facts.items()})
    return dict(Counter(split for _, _, split in rows[1:]))
