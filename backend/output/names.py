"""Check and claim output paths before any work; name the sidecars of rasters."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backend.core.cancel import Cancel
from backend.core.claims import claim, key
from backend.core.errors import InputError, ResourceError
from backend.output.types import check_raster_type
from backend.raster.opening import check_name

# Sidecars that are written with a raster, and those of an older raster that must be removed.
SIDECARS, STALE = (".qml", ".aux.xml"), (".ovr", ".msk")
# Extensions of files that a .qml of the same stem may belong to.
RASTERS = frozenset((".tif", ".tiff", ".img", ".vrt", ".jp2", ".nc", ".dat", ".asc", ".bil", ".gpkg", ".png", ".jpg"))


@contextmanager
def claim_outputs(
    paths: Sequence[Path], sources: Sequence[str], overwrite: bool, cancel: Cancel, rasters: bool = True
) -> Iterator[None]:
    """Check outputs before any work, and keep other runs from them until the end of the block.

    Args:
        paths: Outputs of the run.
        sources: Inputs of the run.
        overwrite: Whether existing outputs are replaced.
        cancel: Also releases the outputs if the process is ended by force.
        rasters: Whether the outputs are rasters, with sidecars, or text files.

    Raises:
        InputError: See `check_outputs`.
        ResourceError: A folder can't be written to, another run is writing an output, or another program holds one.
    """
    check_outputs(paths, sources, overwrite, rasters)
    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(claim(path, cancel, overwrite))
            _check_replaceable(path, rasters)
        check_outputs(paths, sources, overwrite, rasters)  # again: a run that was waited for may have made one
        yield


def check_outputs(paths: Sequence[Path], sources: Sequence[str], overwrite: bool, rasters: bool = True) -> None:
    """Refuse outputs that must not be written; for the arguments see `claim_outputs`.

    Raises:
        InputError: Two outputs, or an output and an input, are one file or share a style; an output or a sidecar exists
            and `overwrite` is off; a name can't be used or ends like another format; a folder is missing.
    """
    for path in paths:
        if path.name in ("", ".."):
            raise InputError(f"The output {path} is a folder.", "Give the name of a file.")
    _check_distinct(paths, rasters)
    inputs = _Inputs(sources)
    for path in paths:
        check_name(str(path))
        _check_length(path)
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}.", "Create it, or choose another output.")
        if path.is_dir() or (rasters and path.suffix.lower() == ".qml"):
            what = "a folder" if path.is_dir() else "a QGIS style"
            example = "landcover.tif" if rasters else "report.html"
            raise InputError(f"The output {path} is {what}.", f"Give the name of a file, such as {example}.")
        inputs.check(path, rasters)
        if os.path.lexists(path) and not overwrite:
            raise InputError(f"The output {path} exists.", "Choose another name, or add --overwrite.")
        _check_regular(path)
        if rasters:
            check_raster_type(path)
            check_sidecars(path, overwrite)


def check_not_parts(paths: Sequence[Path], parts: Sequence[str]) -> None:
    """Refuse outputs that are parts of the input, such as source files of a virtual raster.

    Raises:
        InputError: An output is among `parts`.
    """
    made_of = _Inputs(parts)
    for path in paths:
        if made_of.same_file(path):
            raise InputError(f"The output {path} is a part of the input.", "Choose another output.")


class _Inputs:
    """Look up once the files that must not be outputs.

    Args:
        sources: Names; those that are no existing files, such as names for GDAL, are ignored.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        known = [source for source in sources if os.path.exists(source)]
        self._keys = {key(Path(source)) for source in known}
        self._files = {_identity(source) for source in known}
        # A product (folder or archive) has no style.
        styled = [Path(s) for s in known if not os.path.isdir(s) and Path(s).suffix.lower() != ".zip"]
        self._styles = {key(sidecar(source, ".qml")) for source in styled}

    def same_file(self, path: Path) -> bool:
        """Return whether an output exists and is one of the files, also by a link."""
        return path.exists() and _identity(path) in self._files

    def check(self, path: Path, rasters: bool) -> None:
        if key(path) in self._keys or self.same_file(path):
            raise InputError(f"The output {path} is the input.", "Choose another output.")
        style = sidecar(path, ".qml")
        if rasters and key(style) in self._styles:
            raise InputError(
                f"The output {path} would share one style, {style.name}, with the input.",
                "Choose a name that differs from the input's before the last dot.",
            )


def _identity(path: str | Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _check_distinct(paths: Sequence[Path], styled: bool) -> None:
    for number, path in enumerate(paths):
        for other in paths[:number]:
            if key(path) == key(other):
                raise InputError("Two outputs have the same path.", "Give each output its own name.")
            if styled and key(sidecar(path, ".qml")) == key(sidecar(other, ".qml")):
                raise InputError(
                    f"The outputs {other} and {path} would share one style, {sidecar(path, '.qml').name}.",
                    "Give the outputs names that differ before the last dot.",
                )


def _check_length(path: Path) -> None:
    """Refuse a name whose longest sidecar is too long for the file system."""
    longest = sidecar(path, SIDECARS[-1])
    try:
        os.lstat(longest)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(
                f"The name {path.name} with {SIDECARS[-1]} is too long for its file system.",
                "Give a shorter name.",
            ) from error


def _check_regular(path: Path) -> None:
    """Refuse to replace a device, a pipe or a socket, also by a link to it."""
    to_process = path.is_symlink() and os.readlink(path).startswith("/proc/")  # such as /dev/stdout
    if to_process or (path.exists() and not path.is_file()):
        raise InputError(
            f"The output {path} is a device, a pipe or a socket.", "Give the name of a new file, or of one to replace."
        )


def check_sidecars(path: Path, overwrite: bool) -> None:
    """Refuse an output whose sidecars are no files, and a new one whose sidecars exist: they belong to another raster.

    Raises:
        InputError: See above.
    """
    new = not os.path.lexists(path)
    for suffix in (*SIDECARS, *STALE):
        companion = sidecar(path, suffix)
        if not os.path.lexists(companion):
            continue
        if companion.exists() and not companion.is_file():
            raise InputError(
                f"The output {path} would replace {companion.name}, which is not a file but a folder, a pipe or a "
                "device.",
                "Choose another name.",
            )
        owners = [p.name for p in path.parent.glob(glob.escape(path.stem) + ".*") if p.suffix.lower() in RASTERS]
        if new and suffix == ".qml" and owners:
            raise InputError(
                f"The output {path} would replace {companion.name}, the style of {owners[0]}.", "Choose another name."
            )
        if new and not overwrite:
            raise InputError(
                f"The output {path} would replace {companion.name}, which exists.",
                "Choose another name, or add --overwrite.",
            )


def _check_replaceable(path: Path, rasters: bool) -> None:
    # On Windows a file that a program holds open can't be replaced: find out before hours of work.
    companion = (sidecar(path, suffix) for suffix in (*SIDECARS, *STALE)) if rasters else ()
    for old in (path, *companion):
        try:
            if old.exists():
                os.replace(old, old)
        except OSError as error:
            raise ResourceError(
                f"{old} can't be replaced ({error.strerror}): another program holds it.",
                "Remove the layer from QGIS, or choose another name.",
            ) from error


def sidecar(path: Path, suffix: str) -> Path:
    """Return the path of a sidecar of out.tif: out.qml for .qml, out.tif.aux.xml for .aux.xml."""
    return path.with_suffix(suffix) if suffix == ".qml" else path.with_name(path.name + suffix)
