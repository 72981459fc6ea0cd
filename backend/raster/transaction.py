"""Rename a raster and its sidecars to their final names in an order that leaves no incomplete output."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

from backend.core.atomic_files import Part, refusing, sync_folder
from backend.core.claims import claimed
from backend.raster.errors import RASTER_ERRORS
from backend.raster.output_names import STALE, sidecar


class RasterFiles:
    """A raster under a temporary name, and its sidecars.

    The output is claimed until it is renamed or discarded.

    Args:
        path: Final name of the raster.
        scratch: Suffix of an intermediate raster on the way to `path`, which is never renamed; see `claims.SCRATCH`.

    Raises:
        ResourceError: Another run is writing the output. Methods: a file can't be written.
    """

    def __init__(self, path: Path, scratch: str = "") -> None:
        self.path = path
        self._raster = Part(path, ending=f"{scratch}.tif")
        self._sidecars: list[tuple[Part, str]] = []
        self._claim = ExitStack()
        self._claim.enter_context(claimed(path))

    @property
    def part(self) -> Path:
        """Temporary name of the raster."""
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

    def place(self) -> None:
        """Rename the raster, replacing an older one."""
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
        self._claim.close()

    def discard(self) -> None:
        """Remove the temporary files; does nothing after `place_sidecars`."""
        self.remove_parts()
        self._claim.close()

    def remove_parts(self) -> None:
        """Remove the temporary files, even while another thread has one open or adds a sidecar."""
        for part in (self._raster, *(part for part, _ in tuple(self._sidecars))):
            part.discard()
        with suppress(OSError):
            # GDAL writes there what a GeoTIFF can't hold.
            self.part.with_name(f"{self.part.name}.aux.xml").unlink()


def place_together(outputs: Sequence[RasterFiles]) -> None:
    """Rename the outputs of a run, in their order.

    Steps that may fail come first, for all outputs: a full disk, then a raster that a program holds open.

    Raises:
        ResourceError: An output can't be written.
    """
    for step in (RasterFiles.prepare, RasterFiles.place, RasterFiles.place_sidecars):
        for output in outputs:
            step(output)
