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
from typing import Annotated, NamedTuple

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

from backend.card import worldcover as lc
from backend.core.atomic_files import refusing, write_files
from backend.core.context import Context
from backend.core.errors import InputError
from training.run.limits import Count, NotNegative, Range, Seed, Share, check_limits
from training.simulation.layout import inject, patch_of, procedural
from training.simulation.library import PIXEL_M, LayoutLibrary
from training.simulation.scene import SimulatedScene, simulate

BANDS = ("VV", "VH")
_BLOCKS = 20
_TITLE = "Simulated Sentinel-1 scenes with land-cover labels (not observed data)"


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

    def make(self, index: int) -> tuple[str, SimulatedScene]:
        """Return the group and scene number ``index``."""
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
        scene = simulate(rng, layout, label_jitter=request.label_jitter, nodata_chance=request.nodata_chance)
        return source or f"procedural-{index * _BLOCKS // max(request.scenes, _BLOCKS):02d}", scene


class Place(NamedTuple):
    """Locate a raster: transform from pixels to metres, and EPSG code."""

    transform: Affine
    epsg: int


def write_raster(
    path: Path, bands: NDArray[np.generic], place: Place, names: tuple[str, ...], nodata: float, scale: float = 1.0
) -> None:
    """Write a compressed GeoTIFF whose tags say that it is simulated.

    Args:
        path: File to write.
        bands: Values [B, H, W] in the dtype of the file.
        place: Its location.
        names: B band descriptions.
        nodata: Nodata value.
        scale: Scale tag, the physical value of one stored unit.
    """
    options = {"f": {"predictor": 3}, "i": {"predictor": 2, "tiled": True}}.get(bands.dtype.kind, {})
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=bands.shape[1],
        width=bands.shape[2],
        count=bands.shape[0],
        dtype=bands.dtype.name,
        crs=f"EPSG:{place.epsg}",
        transform=place.transform,
        nodata=nodata,
        compress="deflate",
        zlevel=1,
        **options,
    ) as sink:
        sink.write(bands)
        for number, name in enumerate(names, start=1):
            sink.set_band_description(number, name)
        if scale != 1.0:
            sink.scales = (scale,) * bands.shape[0]
        sink.update_tags(SIMULATED="yes", TIFFTAG_IMAGEDESCRIPTION=_TITLE)


def _placed(index: int, size: int) -> Place:
    """Place scene ``index`` next to the others on a grid, so that no two overlap."""
    step = (size + 16) * PIXEL_M
    row, column = divmod(index % 10_000, 100)
    transform = Affine(PIXEL_M, 0, 200_000 + (column * step) % 600_000, 0, -PIXEL_M, 8_000_000 - row * step)
    return Place(transform, 32601 + (index // 10_000) % 60)


def _write_one(index: int) -> tuple[str, str]:
    """Make and write one scene in a worker; return name and group."""
    group, scene = _worker.make(index)
    request = _worker.request
    name = f"simulated_{request.seed}_{index:06d}"
    place = _placed(index, request.size)
    write_raster(request.out / "images" / f"{name}.tif", scene.db, place, BANDS, float("nan"))
    write_raster(request.out / "labels" / f"{name}.tif", scene.labels[None], place, ("land cover",), 0)
    return name, group


_worker: _Maker


def _start(request: SimulationRequest) -> None:
    """Prepare a process to write scenes of ``request``."""
    global _worker
    _worker = _Maker(request)


def _rows(request: SimulationRequest, jobs: int) -> Iterator[tuple[str, str]]:
    """Write all scenes and yield name and group of each, in order."""
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
    lines = [f'title = "{_TITLE}"', "simulated = true", f"seed = {request.seed}", f"pixel_size_m = {PIXEL_M}"]
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
        request: What to write.
        jobs: Number of processes; does not change the files.
        context: Receives progress; its cancel ends the work after the current scene.

    Returns:
        Number of scenes by split.

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
    for number, (name, group) in enumerate(_rows(request, jobs), 1):
        context.cancel.check()
        context.reporter.progress(number, request.scenes)
        rows.append((name, group, split_of(request, group)))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    facts = {"splits.csv": text.getvalue(), "dataset.toml": dataset_toml(request)}
    with refusing(request.out / "splits.csv"):
        write_files({request.out / name: content.encode() for name, content in facts.items()})
    return dict(Counter(split for _, _, split in rows[1:]))
