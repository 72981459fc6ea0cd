"""Names of outputs: checked before any work, temporary while being written, and those of the files beside them."""

from __future__ import annotations

import glob
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.cancel import Cancel
from backend.errors import InputError, ResourceError

MARK = ".sardino-part"
# Files written beside a raster, and those of an older raster that would be wrong beside a new one.
SIDECARS, STALE = (".qml", ".aux.xml"), (".ovr", ".msk")
# Rasters made on the way to an output, which are gone when it is there.
SCRATCH = (".radar", ".calibrated")
# Files that a .qml of the same name may belong to.
RASTERS = frozenset((".tif", ".tiff", ".img", ".vrt", ".jp2", ".nc", ".dat", ".asc", ".bil", ".gpkg", ".png", ".jpg"))
# Outputs being written by this process.
_held: set[str] = set()


def check_distinct(paths: Sequence[Path], styled: bool = True) -> None:
    """Refuse outputs of one run that would overwrite each other, or each other's style.

    Raises:
        InputError: Two paths lead to one file, or differ only after the last dot, as o.tif and o.tiff do.
    """
    for number, path in enumerate(paths):
        for other in paths[:number]:
            if _key(path) == _key(other):
                raise InputError("Two outputs have the same path.", "Give each output a name of its own.")
            if styled and _key(sidecar(path, ".qml")) == _key(sidecar(other, ".qml")):
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


def check_document(path: Path, sources: Sequence[str], overwrite: bool) -> None:
    """Refuse a text file that can't or mustn't be written, before any work is done; as `check_output` for rasters."""
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Create it, or choose another output.")
    if path.is_dir():
        raise InputError(f"The output {path} is a folder.", "Give the name of a file.")
    if any(os.path.exists(source) and _key(path) == _key(Path(source)) for source in sources):
        raise InputError(f"The output {path} is an input.", "Choose another output.")
    if path.exists() and not overwrite:
        raise InputError(f"The output {path} exists.", "Choose another name, or add --overwrite.")
    _check_folder(path)
    _check_replaceable(path)


def _check_against_input(path: Path, source: str) -> None:
    if not os.path.exists(source):
        return  # nothing yet, or a name that only GDAL understands
    if _key(path) == _key(Path(source)) or (path.exists() and os.path.samefile(path, source)):
        raise InputError(f"The output {path} is the input.", "Choose another output.")
    if os.path.isdir(source) or Path(source).suffix.lower() == ".zip":
        return  # a product, which has no style
    if _key(sidecar(path, ".qml")) == _key(sidecar(Path(source), ".qml")):
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
    remove_stale(path)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ResourceError(
            f"The folder {path.parent} can't be written to ({error.strerror}).", "Choose another output folder."
        ) from error


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


def temporary(path: Path) -> Path:
    """A name in the same folder that tells whose it is: this machine's, this process's."""
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}{MARK}.tif")


def hold(path: Path) -> None:
    """Mark the temporaries of an output as being written by this process."""
    _held.add(_key(path))


def release(path: Path) -> None:
    """Take the mark away."""
    _held.discard(_key(path))


@contextmanager
def scratch(path: Path, suffix: str, cancel: Cancel) -> Iterator[Path]:
    """A temporary name beside an output for what is made on the way, one of SCRATCH; removed on the way out.

    Args:
        path: The output.
        suffix: What it is.
        cancel: Told, so that it is removed as well where the process ends by force.
    """
    target = sidecar(path, suffix)
    part = temporary(target)

    def remove() -> None:
        with suppress(OSError):
            part.unlink()

    cancel.on_deadline(remove)
    hold(target)
    try:
        yield part
    finally:
        remove()
        release(target)


def remove_stale(path: Path) -> None:
    """Remove temporaries of this output that dead processes of this machine left behind.

    A restarted container has the name and process number of the one before it: a temporary of that number is stale
    too, unless this process is at work on it.
    """
    for target in (path, *(sidecar(path, suffix) for suffix in (*SIDECARS, *SCRATCH))):
        held = {_key(path), _key(target)} & _held
        start = f".{target.name}.{socket.gethostname()}."
        for old in path.parent.iterdir():
            middle = old.name[len(start) :].split(".")[0]
            if not (old.name.startswith(start) and MARK in old.name and middle.isdigit()):
                continue
            if not held if int(middle) == os.getpid() else not _alive(int(middle)):
                with suppress(OSError):
                    old.unlink()


def _alive(process: int) -> bool:
    if sys.platform == "win32":
        # There a signal of 0 would be Ctrl-C; but a file that a live process holds open can't be removed anyway.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _key(path: Path) -> str:
    """Equal for two names of one file, as far as names tell."""
    return os.path.normcase(os.path.realpath(path))


def sidecar(path: Path, suffix: str) -> Path:
    """The file that belongs beside a raster: out.qml for .qml, out.tif.aux.xml for .aux.xml."""
    return path.with_suffix(suffix) if suffix == ".qml" else path.with_name(path.name + suffix)
