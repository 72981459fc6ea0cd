"""Read a file of precise or restituted orbits (EOF), and check that it belongs to a product.

Format: "Sentinels POD Service File Format Specifications" (GMES-GSEG-EOPG-FS-10-0075), sections on AUX_POEORB and
AUX_RESORB.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import DoubleArray
from backend.core.errors import InputError
from backend.core.regular_file import NOT_A_FILE, is_special
from backend.grd.product import Product
from backend.grd.terrain.orbit import LEAST, Orbit
from backend.grd.xml import Annotation

Times = NDArray[np.datetime64]
TYPES = ("AUX_POEORB", "AUX_RESORB")
# Files of a day have 4.5 MB.
MAX_BYTES = 32 * 2**20
# State vectors this many seconds before and after an image are used.
AROUND = 120.0
# Seconds between state vectors at most.
APART = 20.0
# Radii of the orbit in metres, and speeds in metres a second in an Earth-fixed frame.
RADII, SPEEDS = (6.9e6, 7.2e6), (6.8e3, 8.2e3)
_FROM = "Take the file of the product's satellite and day: AUX_POEORB, 20 days later, or AUX_RESORB, hours later."


def precise_orbit(path: str, product: Product) -> Callable[[np.datetime64], Orbit]:
    """Read the orbit of a product from an EOF file, or from a zip that holds one.

    Returns:
        A function from the epoch of times to the orbit.

    Raises:
        InputError: The file is no EOF file, is of another satellite, or doesn't cover the product.
    """
    file = Annotation.parse(_read(path), path)
    kind = _text(file, "Earth_Explorer_Header/Fixed_Header/File_Type")
    if kind not in TYPES:
        raise InputError(
            f"{path} is not a file of orbits of Sentinel-1: its type is {kind or 'unknown (not stated)'}.", _FROM
        )
    _check_mission(file, path, product)
    header = "Earth_Explorer_Header/Variable_Header/"
    frame, scale = _text(file, header + "Ref_Frame"), _text(file, header + "Time_Reference")
    if frame not in ("EARTH_FIXED", "") or scale not in ("UTC", ""):
        raise InputError(f"{path} has orbits in the frame {frame} and {scale}; EARTH_FIXED and UTC are wanted.", _FROM)
    annotation = product.channels[0].annotation
    first, last = (annotation.moment(f"adsHeader/{name}") for name in ("startTime", "stopTime"))
    times, states = _vectors(file, path, first, last)

    def orbit(epoch: np.datetime64) -> Orbit:
        since = (times - epoch) / np.timedelta64(1, "ns") / 1e9
        return Orbit(since.astype(np.float64), states[:, :3], states[:, 3:])

    return orbit


def _read(path: str) -> bytes:
    try:
        if is_special(Path(path)):
            raise OSError(NOT_A_FILE)
        if not zipfile.is_zipfile(path):
            with open(path, "rb") as file:
                return _limited(file.read(MAX_BYTES + 1), path)
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.upper().endswith(".EOF")]
            if len(names) != 1:
                raise InputError(f"{path} holds {len(names)} files of orbits (EOF); one is wanted.", _FROM)
            with archive.open(names[0]) as member:
                return _limited(member.read(MAX_BYTES + 1), path)
    except (OSError, ValueError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise InputError(f"The file of orbits {path} can't be read: {error}.", _FROM) from error


def _limited(data: bytes, path: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} has more than {MAX_BYTES >> 20} MiB; no file of orbits is that large.", _FROM)
    return data


def _text(file: Annotation, path: str) -> str:
    """Return the text at a path, whatever the namespace of the elements is; empty if there is none."""
    steps = "/".join(f"{{*}}{name}" for name in path.split("/"))
    return (file.element.findtext(steps) or "").strip()


def _check_mission(file: Annotation, path: str, product: Product) -> None:
    """Refuse the orbit of another satellite."""
    mission = _text(file, "Earth_Explorer_Header/Fixed_Header/Mission")
    satellite = product.channels[0].annotation.text("adsHeader/missionId").upper()
    if mission.upper().replace("ENTINEL-", "") != satellite:
        raise InputError(f"{path} is of {mission or 'no mission'}; the product is of {satellite}.", _FROM)


def _vectors(file: Annotation, path: str, first: np.datetime64, last: np.datetime64) -> tuple[Times, DoubleArray]:
    """Return times [n] and states (position, velocity) [n, 6] around an image."""
    items = [Annotation(item, path) for item in file.element.iterfind("{*}Data_Block/{*}List_of_OSVs/{*}OSV")]
    around = np.timedelta64(round(AROUND), "s")
    found = {}
    for item in items:
        time = np.datetime64(_text(item, "UTC").removeprefix("UTC=").rstrip("Z") or "NaT", "ns")
        if first - around <= time <= last + around:
            found[time] = _state(item)
    times = np.array(sorted(found), dtype="datetime64[ns]")
    inside = len(times) >= LEAST and times[0] <= first and times[-1] >= last
    if not inside or (np.diff(times) > np.timedelta64(round(APART), "s")).any():
        span = f"the time from {_text(items[0], 'UTC')} to {_text(items[-1], 'UTC')}" if items else "no time at all"
        raise InputError(
            f"The orbits in {path} cover {span.replace('UTC=', '')}; the product needs {first} to {last}.", _FROM
        )
    states = np.array([found[time] for time in times])
    radii, speeds = (np.linalg.norm(states[:, part], axis=1) for part in (slice(3), slice(3, 6)))
    for values, (low, high), what in (
        (radii, RADII, "distances from the Earth's centre"),
        (speeds, SPEEDS, "speeds along the orbit"),
    ):
        if not ((values > low) & (values < high)).all():
            raise InputError(
                f"{path} has {what} of {values.min():.4g} to {values.max():.4g}; Sentinel-1 has {low:g} to {high:g}.",
                _FROM,
            )
    return times, states


def _state(item: Annotation) -> list[float]:
    return [float(item.numbers(f"{{*}}{name}")[0]) for name in ("X", "Y", "Z", "VX", "VY", "VZ")]
