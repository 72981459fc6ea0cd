"""Names of outputs, checked before any work, and those of the files beside them."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Sequence
from pathlib import Path

from backend.core.errors import InputError, ResourceError
from backend.core.partial_files import SCRATCH, key, no_folder, remove_stale, temporary
from backend.raster.opening import check_name

# Files written beside a raster, and those of an older raster that would be wrong beside a new one.
SIDECARS, STALE = (".qml", ".aux.xml"), (".ovr", ".msk")
# Files that a .qml of the same name may belong to.
RASTERS = frozenset((".tif", ".tiff", ".img", ".vrt", ".jp2", ".nc", ".dat", ".asc", ".bil", ".gpkg", ".png", ".jpg"))


def check_distinct(paths: Sequence[Path], styled: bool = True) -> None:
    """Refuse outputs of one run that would overwrite each other, or each other's style.

    Raises:
        InputError: Two paths lead to one file, or differ only after the last dot, as o.tif and o.tiff do.
    """
    for number, path in enumerate(paths):
        for other in paths[:number]:
            if key(path) == key(other):
                raise InputError("Two outputs have the same path.", "Give each output a name of its own.")
            if styled and key(sidecar(path, ".qml")) == key(sidecar(other, ".qml")):
                raise InputError(
                    f"The outputs {other} and {path} would share one style, {sidecar(path, '.qml').name}.",
                    "Give each output a name of its own before the last dot.",
                )


def check_output(path: Path, source: str, overwrite: bool) -> None:
    """Refuse an output that can't or mustn't be written, before any work is done.

    Raises:
        InputError: It is the input or would restyle it, it or a file beside it exists and `overwrite` is off, or its
            folder is missing.
        ResourceError: Its folder can't be written to, or another program holds an older file.
    """
    check_name(str(path))
    _check_length(path)
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Create it, or choose another output.")
    if path.is_dir() or path.suffix.lower() == ".qml":
        what = "a folder" if path.is_dir() else "a QGIS style"
        raise InputError(f"The output {path} is {what}.", "Give the name of a file, such as landcover.tif.")
    _check_against_input(path, source)
    if path.exists() and not overwrite:
        raise InputError(f"The output {path} exists.", "Choose another name, or add --overwrite.")
    _check_sidecars(path, overwrite)
    _check_folder(path)
    _check_replaceable(path)


def check_parts(path: Path, parts: Sequence[str]) -> None:
    """Refuse an output that the input is made of, such as a file that a virtual raster takes its pixels from.

    Raises:
        InputError: It is one of `parts`.
    """
    for part in parts:
        if os.path.exists(part) and path.exists() and os.path.samefile(part, path):
            raise InputError(f"The output {path} is a part of the input.", "Choose another output.")


def check_document(path: Path, sources: Sequence[str], overwrite: bool) -> None:
    """Refuse a text file that can't or mustn't be written, before any work is done; as `check_output` for rasters."""
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Create it, or choose another output.")
    if path.is_dir():
        raise InputError(f"The output {path} is a folder.", "Give the name of a file.")
    if any(os.path.exists(source) and key(path) == key(Path(source)) for source in sources):
        raise InputError(f"The output {path} is an input.", "Choose another output.")
    if path.exists() and not overwrite:
        raise InputError(f"The output {path} exists.", "Choose another name, or add --overwrite.")
    _check_folder(path)
    _check_replaceable(path)


def _check_length(path: Path) -> None:
    """The longest of the names that will lie there must be one that the file system bears."""
    longest = sidecar(path, SIDECARS[-1])
    try:
        os.lstat(longest)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(
                f"The name {path.name} is too long for its folder, with {SIDECARS[-1]} after it.",
                "Give a shorter name.",
            ) from error


def _check_against_input(path: Path, source: str) -> None:
    if not os.path.exists(source):
        return  # nothing yet, or a name that only GDAL understands
    if key(path) == key(Path(source)) or (path.exists() and os.path.samefile(path, source)):
        raise InputError(f"The output {path} is the input.", "Choose another output.")
    if os.path.isdir(source) or Path(source).suffix.lower() == ".zip":
        return  # a product, which has no style
    if key(sidecar(path, ".qml")) == key(sidecar(Path(source), ".qml")):
        raise InputError(
            f"The output {path} would share one style, {sidecar(path, '.qml').name}, with the input.",
            "Choose a name that differs from the input's before the last dot.",
        )


def _check_sidecars(path: Path, overwrite: bool) -> None:
    """Keep styles and metadata that aren't this output's own: there is no such output yet."""
    if path.exists():
        return
    for suffix in SIDECARS:
        beside = sidecar(path, suffix)
        if not beside.exists():
            continue
        owners = [p.name for p in path.parent.glob(glob.escape(path.stem) + ".*") if p.suffix.lower() in RASTERS]
        if suffix == ".qml" and owners:
            raise InputError(
                f"The output {path} would replace {beside.name}, the style of {owners[0]}.", "Choose another name."
            )
        if not overwrite:
            raise InputError(
                f"The output {path} would replace {beside.name}, which exists.",
                "Choose another name, or add --overwrite.",
            )


def _check_folder(path: Path) -> None:
    probe = temporary(path)
    for target in (path, *(sidecar(path, suffix) for suffix in (*SIDECARS, *SCRATCH))):
        remove_stale(target, path)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise no_folder(path, error) from error


def _check_replaceable(path: Path) -> None:
    # On Windows a file that a program holds open can't be replaced; better to know now than after hours of work.
    for old in (path, *(sidecar(path, suffix) for suffix in (*SIDECARS, *STALE))):
        try:
            if old.exists():
                os.replace(old, old)
        except OSError as error:
            raise ResourceError(
                f"{old} can't be replaced ({error.strerror}): another program holds it.",
                "Remove the layer from QGIS, or choose another name.",
            ) from error


def sidecar(path: Path, suffix: str) -> Path:
    """The file that belongs beside a raster: out.qml for .qml, out.tif.aux.xml for .aux.xml."""
    return path.with_suffix(suffix) if suffix == ".qml" else path.with_name(path.name + suffix)
