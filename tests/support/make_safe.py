"""Make a small Sentinel-1 GRD product of simulated numbers, with the structure and the XML of real ones.

    python -m tests.support.make_safe FOLDER [LINES SAMPLES]        # FOLDER/S1A_IW_GRDH_….SAFE

Names of elements and files, and the links of the manifest, are those of products of IPF 3.31.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.warp import transform
from rasterio.windows import Window

from tests.support.safe.annotation import annotation, calibration, noise
from tests.support.safe.manifest import manifest

NAME = "S1A_IW_GRDH_1SDV_20210401T052623_20210401T052648_037258_04638E_6001.SAFE"
START, SECONDS = np.datetime64("2021-04-01T05:26:23.794457"), 25.0
UTM = CRS.from_epsg(32632)
STRIP = 1024  # lines made at once
Ground = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def slanting(line, sample):
    """Return metres in UTM 32 of image positions (centres of samples at whole numbers): descending, slightly curved."""
    x, y = sample * 10.0, line * 10.0
    east = 520000 + 0.974 * x - 0.225 * y + 2e-6 * x * y + 3e-6 * y * y
    north = 5_090_000 - 0.225 * x - 0.974 * y + 4e-6 * x * x
    return east, north


def simulated(line, sample):
    """Digital numbers of land, a lake and a town, with speckle of 4.4 looks; 0 at the left and right sides."""
    rng = np.random.default_rng(5)
    level = np.where((line // 40 + sample // 60) % 2, 90.0, 140.0)
    level = np.where((line - 60) ** 2 + (sample - 90) ** 2 < 40**2, 45.0, level)
    level = np.where((line > 130) & (line < 160) & (sample > 120) & (sample < 150), 420.0, level)
    numbers = level * np.sqrt(rng.gamma(4.4, 1 / 4.4, level.shape))
    numbers[(sample < 6 + line // 40) | (sample >= sample.max() - 4)] = 0
    return numbers


@dataclass
class Scene:
    """A scene to make; tests change what they are about.

    Attributes:
        shape: Lines and samples.
        polarisations: In the order of the manifest.
        numbers: Digital numbers by line and sample.
        cross: The same for VH and HV; half of the others if None.
        ground: Coordinates in `crs` by line and sample.
        crs: CRS of `ground`.
        noise: "range and azimuth", "single" (before IPF 2.90) or "none".
        noise_level: In squared digital numbers.
        denoised: Whether the product declares its noise as removed.
        processor: Version of the IPF.
        kind: Product type.
        spacing: Of samples, in metres.
        line_spacing: Of lines; that of samples if None.
        flat: Whether all calibration factors are 500.
        seconds: From the first line to the last.
        geometry: An `Imaged` of `make_orbit.py`, which writes orbit and ranges into the annotation, or None.
    """

    shape: tuple[int, int] = (200, 260)
    polarisations: Sequence[str] = ("VH", "VV")
    numbers: Callable = simulated
    cross: Callable | None = None
    ground: Ground = slanting
    crs: CRS = UTM
    noise: str = "range and azimuth"
    noise_level: float = 900.0
    denoised: bool = False
    processor: str = "003.31"
    kind: str = "GRD"
    spacing: float = 10.0
    line_spacing: float | None = None
    flat: bool = False
    mode: str = "IW"
    name: str = NAME
    vectors: int = 5
    blocks: int = field(default=3)
    seconds: float = SECONDS
    geometry: object = None

    def lines(self, count: int) -> list[int]:
        """Return `count` lines, with the first and the last."""
        return [int(n) for n in np.linspace(0, self.shape[0] - 1, count).round()]

    def samples(self, count: int) -> list[int]:
        return [int(n) for n in np.linspace(0, self.shape[1] - 1, count).round()]

    def time(self, line: int) -> str:
        share = line / (self.shape[0] - 1)
        return str(START + np.timedelta64(round(self.seconds * share * 1e6), "us"))

    def stem(self, index: int) -> str:
        return f"s1a-{self.mode.lower()}-grd-{self.polarisations[index].lower()}-20210401t052623-20210401t052648-037258-04638e-{index + 1:03d}"  # noqa: E501

    def positions(self) -> list[tuple[int, int, float, float]]:
        """Return line, sample, longitude and latitude of the geolocation grid."""
        pairs = [(line, sample) for line in self.lines(6) for sample in self.samples(9)]
        lines, samples = (np.array(values, dtype=float) for values in zip(*pairs))
        east, north = self.ground(lines, samples)
        longitude, latitude = transform(self.crs, CRS.from_epsg(4326), east, north)
        return [(line, sample, x, y) for (line, sample), x, y in zip(pairs, longitude, latitude)]


def make_safe(parent: Path, scene: Scene | None = None) -> Path:
    """Write a product and return its folder."""
    scene = scene or Scene()
    folder = parent / scene.name
    for name in ("annotation/calibration", "measurement", "preview", "support"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index in range(len(scene.polarisations)):
        stem = scene.stem(index)
        write_measurement(folder / f"measurement/{stem}.tiff", scene, index)
        texts = {
            f"annotation/{stem}.xml": annotation(scene, index),
            f"annotation/calibration/calibration-{stem}.xml": calibration(scene, index),
        }
        if scene.noise != "none":
            texts[f"annotation/calibration/noise-{stem}.xml"] = noise(scene, index)
        for name, text in texts.items():
            (folder / name).write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + text, encoding="utf-8")
    (folder / "manifest.safe").write_text(manifest(scene), encoding="utf-8")
    return folder


def zip_safe(folder: Path, target: Path) -> Path:
    """Pack a product as a zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return target


def write_measurement(path: Path, scene: Scene, index: int) -> None:
    height, width = scene.shape
    points = [GroundControlPoint(row=r, col=c, x=x, y=y) for r, c, x, y in scene.positions()]
    profile = {"driver": "GTiff", "count": 1, "height": height, "width": width, "dtype": "uint16", "blockysize": 1}
    with rasterio.open(path, "w", **profile, gcps=points, crs=CRS.from_epsg(4326)) as file:
        for top in range(0, height, STRIP):
            line, sample = np.mgrid[top : min(top + STRIP, height), :width]
            if scene.polarisations[index] in ("VV", "HH"):
                numbers = scene.numbers(line, sample)
            else:
                numbers = scene.cross(line, sample) if scene.cross else scene.numbers(line, sample) / 2
            window = Window(0, top, width, len(line))
            file.write(np.clip(np.rint(numbers), 0, 65535).astype(np.uint16), 1, window=window)


if __name__ == "__main__":
    print(make_safe(Path(sys.argv[1]), Scene(shape=tuple(map(int, sys.argv[2:4])) or Scene.shape)))
