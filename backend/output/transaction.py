"""Rename a raster and its sidecars to their final names in an order that leaves no incomplete output."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from os.path import lexists
from pathlib import Path

from backend.core.atomic_files import Part, appeared, placed_together, refusing, sync_folder
from backend.core.claims import claimed, may_replace, private_folder
from backend.output.names import SIDECARS, STALE, check_sidecars, sidecar
from backend.raster.errors import RASTER_ERRORS


class RasterFiles:
    """Manage a raster under a temporary name, and its sidecars.

    The output is claimed until it is renamed or discarded.

    Args:
        path: Final name of the raster.
        scratch: Suffix of an intermediate raster on the way to `path`, which is never renamed; see `claims.SCRATCH`.

    Raises:
        ResourceError: Another run is writing the output. Methods: a file can't be written.
    """

    def __init__(self, path: Path, scratch: str = "") -> None:
        self.path = path
        self._sidecars: list[tuple[Part, str]] = []
        self._claim = ExitStack()
        self._claim.enter_context(claimed(path))
        try:
            # GDAL creates the raster itself, and may write a sidecar of its own for what a GeoTIFF can't hold.
            self._folder = private_folder(path)
        except BaseException:
            self._claim.close()
            raise
        self._raster = Part(path, unfinished=self._folder / f"part{scratch}.tif")

    @property
    def part(self) -> Path:
        """Return the temporary name of the raster."""
        return self._raster.temporary

    def refusing(self) -> AbstractContextManager[None]:
        """Return a context that turns errors of disks and GDAL into refusals."""
        return refusing(self.path, *RASTER_ERRORS)

    def add_sidecar(self, suffix: str, content: str) -> None:
        """Add a sidecar; ".aux.xml" is appended to the name of the raster, ".qml" replaces ".tif"."""
        self._sidecars.append((Part(sidecar(self.path, suffix), owner=self.path), content))

    def prepare(self) -> None:
        """Write all files to the disk: everything that needs space there happens before any file is renamed."""
        with self.refusing():
            self._raster.sync()
            for part, content in self._sidecars:
                part.write(content.encode("utf-8"))

    @property
    def parts(self) -> list[Part]:
        """Return all files: the raster and its sidecars."""
        return [self._raster, *(part for part, _ in tuple(self._sidecars))]

    def check(self) -> None:
        """Check again what was checked at the start of the run: other programs may have written files since.

        Raises:
            SarDinoError: The raster would take over or remove sidecars that belong to another.
        """
        if may_replace(self.path):
            check_sidecars(self.path, overwrite=True)
            return
        taken = [path for path in (self.path, *(sidecar(self.path, s) for s in (*SIDECARS, *STALE))) if lexists(path)]
        if taken:
            raise appeared(taken[0])

    def place(self) -> None:
        """Rename the raster; an older one is replaced if its claim allows that."""
        with self.refusing():
            self._raster.place()

    def place_sidecars(self) -> None:
        """Rename the sidecars, and remove those of an older raster."""
        with self.refusing():
            for part, _ in self._sidecars:
                part.place()
            for stale in STALE:
                sidecar(self.path, stale).unlink(missing_ok=True)
            sync_folder(self.path.parent)

    def release(self) -> None:
        """Give up the claim, when all outputs of the run have their names."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._claim.close()

    def discard(self) -> None:
        """Remove the temporary files; does nothing after `release`."""
        self.remove_parts()
        self._claim.close()

    def remove_parts(self) -> None:
        """Remove the temporary files, even while another thread has one open or adds a sidecar."""
        for part in self.parts:
            part.discard()
        shutil.rmtree(self._folder, ignore_errors=True)


def place_together(outputs: Sequence[RasterFiles]) -> None:
    """Rename the outputs of a run, in their order.

    Steps that may fail come first, for all outputs: a full disk, then a raster that a program holds open. If an output
    can't get its name, none of those that are new keeps it.

    Raises:
        SarDinoError: An output can't be written, or its name was taken during the run.
    """
    with placed_together([part for output in outputs for part in output.parts]):
        for step in (RasterFiles.prepare, RasterFiles.check, RasterFiles.place, RasterFiles.place_sidecars):
            for output in outputs:
                step(output)
    for output in outputs:
        output.release()
