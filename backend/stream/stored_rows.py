"""Find which stored rows a frame reads and how they become its input, or why the processor must prepare it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from backend.core.threads import reading_threads
from backend.radiometry.conversion import Conversion
from backend.raster.source import RasterSource, gdal_environment
from backend.raster.stored import StoredReader, one_thread_a_handle
from backend.stream.frames import FilledFrame, NativeFrame, ScaledFrame
from backend.stream.rows import Frame


@dataclass(frozen=True)
class StoredRows:
    """Hold what a frame reads.

    Attributes:
        source: Opened raster, whose rows and columns are the frame's.
        conversion: Of its stored values to the frame's input.
    """

    source: RasterSource
    conversion: Conversion

    @contextmanager
    def readers(self) -> Iterator[list[StoredReader]]:
        """Open handles for as many threads as help, and close them at the end."""
        count = reading_threads() if self.conversion.storage.shareable else 1
        with ExitStack() as stack:
            # Some threads are in the next row of blocks before others are done with one.
            stack.enter_context(gdal_environment(self.source.cache_bytes()))
            with one_thread_a_handle(count):
                sources = [stack.enter_context(self.source.reopen()) for _ in range(count)]
            yield [source.stored()[0] for source in sources]


def stored_rows(frame: Frame, kinds: Collection[str]) -> StoredRows | str:
    """Return what a frame reads, or, for people, why that can't be said so simply.

    Args:
        frame: Of a run.
        kinds: Data types that can be converted elsewhere.
    """
    native, present = frame, None
    if isinstance(frame, FilledFrame):
        native, present = frame.frame, frame.present
    if isinstance(native, ScaledFrame):
        return "pixels are resampled to the size of the model's"
    if not isinstance(native, NativeFrame) or not isinstance(native.source, RasterSource):
        return "several dates are read side by side"
    storage = native.source.stored()[1]
    found = sorted(set(storage.kinds))
    if len(found) > 1 or found[0] not in kinds:
        return f"values are stored as {' and '.join(found)}"
    bands = tuple(native.bands)
    count = frame.count if isinstance(frame, FilledFrame) else len(bands)
    places = tuple(range(count) if present is None else present)
    return StoredRows(native.source, Conversion(storage, bands, native.units, places, count))
