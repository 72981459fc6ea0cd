"""Scan many files of a folder at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from backend.card.model_card import Band
from backend.core.errors import UnreadableError
from backend.core.threads import thread_count
from backend.radiometry.units import Units
from training.data.dataset_toml import FolderFacts
from training.data.file_entry import FileEntry
from training.data.read_together import MOST_THREADS, file_threads
from training.data.scan import scan
from training.data.scan_process import ScanProcess
from training.data.scenes import SceneFiles

# A process takes about half a second to start, in which it would scan this many files.
FILES_PER_PROCESS = 64


def scan_many(
    files: Mapping[str, SceneFiles], names: Sequence[str], facts: FolderFacts, bands: Sequence[Band], units: Units
) -> Iterator[FileEntry | UnreadableError | OSError]:
    """Yield the entry of each file, or why it can't be read, in the order of the names.

    Few files are scanned by threads, many by processes.

    Args:
        files: Files by name.
        names: Those to scan.
        facts: The folder's dataset.toml.
        bands: The card's bands.
        units: See `scan`.

    Raises:
        InputError: See `scan`.
    """
    count = min(thread_count(), MOST_THREADS, len(names) // FILES_PER_PROCESS)
    scanner = _Scanner(files, facts, bands, units, count > 1)
    pool = ThreadPoolExecutor(count if count > 1 else file_threads())
    try:
        jobs: list[Future[FileEntry]] = [pool.submit(scanner.scan, name) for name in names]
        for job in jobs:
            try:
                yield job.result()
            except (UnreadableError, OSError) as error:
                yield error
    finally:
        pool.shutdown(cancel_futures=True)
        scanner.close()


class _Scanner:
    """Scan files in the calling thread, or in a process of each calling thread."""

    def __init__(
        self,
        files: Mapping[str, SceneFiles],
        facts: FolderFacts,
        bands: Sequence[Band],
        units: Units,
        in_processes: bool,
    ) -> None:
        self._files, self._told, self._in_processes = files, (facts, bands, units), in_processes
        self._of_thread = threading.local()
        self._started: list[ScanProcess] = []

    def scan(self, name: str) -> FileEntry:
        if not self._in_processes:
            return scan(name, self._files[name], *self._told)
        if not hasattr(self._of_thread, "process"):
            self._of_thread.process = ScanProcess(*self._told)
            self._started.append(self._of_thread.process)
        process: ScanProcess = self._of_thread.process
        return process.scan(name, self._files[name])

    def close(self) -> None:
        for process in self._started:
            process.close()
