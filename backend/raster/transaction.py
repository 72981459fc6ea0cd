"""Give a raster and the files beside it their names, in an order that leaves nothing half done."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

from backend.core.atomic_files import Part, refusing, sync_folder
from backend.core.claims import claimed
from backend.raster.errors import RASTER_ERRORS
from backend.raster.output_names import STALE, sidecar


class RasterFiles:
    """A raster under a temporary name, with its sidecars; nothing under a final name until `place_together`.

    The output is claimed until it has its name or is discarded.

    Args:
        path: Final name of the raster.
        scratch: Suffix of a raster that is only on the way to `path` and gets no name; see `claims.SCRATCH`.

    Raises:
        ResourceError: Another run is writing it; in the methods: a file can't be written.
    """

    def __init__(self, path: Path, scratch: str = "") -> None:
        self.path = path
        self._raster = Part(path, ending=f"{scratch}.tif")
        self._sidecars: list[tuple[Part, str]] = []
        self._claim = ExitStack()
        self._claim.enter_context(claimed(path))

    @property
    def part(self) -> Path:
        """Where the raster lies until it gets its name."""
        return self._raster.temporary

    def refusing(self) -> AbstractContextManager[None]:
        """Return a context that turns errors of disks and GDAL into refusals."""
        return refusing(self.path, *RASTER_ERRORS)

    def add_sidecar(self, suffix: str, content: str) -> None:
        """Add a file to be put beside the raster: ".aux.xml" is appended, ".qml" takes the place of ".tif"."""
        self._sidecars.append((Part(sidecar(self.path, suffix), owner=self.path), content))

    def prepare(self) -> None:
        """Bring everything to the disk: all that needs room there is done before any name changes."""
        with self.refusing():
            self._raster.sync()
            for part, content in self._sidecars:
                part.write(content.encode("utf-8"))

    def place(self) -> None:
        """Give the raster its name, replacing an older one."""
        with self.refusing():
            self._raster.place()

    def place_sidecars(self) -> None:
        """Give the sidecars their names, and remove those of an older raster."""
        with self.refusing():
            for part, _ in self._sidecars:
                part.place()
            for stale in STALE:
                sidecar(self.path, stale).unlink(missing_ok=True)
            sync_folder(self.path.parent)
        self._claim.close()

    def discard(self) -> None:
        """Leave nothing behind. Does nothing after `place_sidecars`."""
        self.remove_parts()
        self._claim.close()

    def remove_parts(self) -> None:
        """Remove the temporary files, even while one is open, or a sidecar is added, in another thread."""
        for part in (self._raster, *(part for part, _ in tuple(self._sidecars))):
            part.discard()
        with suppress(OSError):
            # GDAL's own, of what a GeoTIFF doesn't hold.
            self.part.with_name(f"{self.part.name}.aux.xml").unlink()


def place_together(outputs: Sequence[RasterFiles]) -> None:
    """Give the outputs of a run their names, the last one last.

    What may fail comes first, for all of them: a full disk, then a raster that a program holds.

    Raises:
        ResourceError: One can't be written.
    """
    for step in (RasterFiles.prepare, RasterFiles.place, RasterFiles.place_sidecars):
        for output in outputs:
            step(output)
