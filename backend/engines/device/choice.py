"""Decide, for all maps, what a graphics card does beside the network. Cheap to import where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Callable

from backend.stream.rows import Frame
from backend.stream.stored_rows import stored_rows
from backend.stream.tiles import TileJob

# Kinds of devices with memory of their own, to which it takes time to copy. Tests and `benchmarks.checks.card` add the
# processor, which then runs the same code.
CARDS = {"cuda"}


def decides_on_device(device: str) -> bool:
    """Return whether probabilities are blended and classes chosen where the network is."""
    return device in CARDS


@contextmanager
def prepared_on_device(device: str, frame: Frame, job: TileJob, log: Callable[[str, str], None]) -> Iterator[TileJob]:
    """Return a job whose network input is made where the network is, if that is a card; as it is otherwise.

    Where the frame needs more than a card does, this is said, and a processor makes the input.

    Args:
        device: Kind of the network's device.
        frame: What is read.
        job: Tiles over it.
        log: Called with (level, message).
    """
    if not decides_on_device(device) or job.only is not None:  # of a few tiles rows are left out
        yield job
        return
    from backend.engines.device.rows import DeviceCutter
    from backend.engines.device.transfer import KINDS, device_of

    rows = stored_rows(frame, KINDS)
    if isinstance(rows, str):
        log("info", f"The processor prepares the input of the network: {rows}.")
        yield job
        return
    with rows.readers() as readers:
        made = partial(DeviceCutter, readers=readers, conversion=rows.conversion, device=device_of(device))
        yield replace(job, cutter=made)
