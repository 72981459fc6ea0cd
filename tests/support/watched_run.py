"""Give the command of a pre-training with a probe, and read its events for TensorBoard."""

from __future__ import annotations

import struct
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event, SessionLog

from tests.support.pretraining import command

SEEN = [0, 2, 4, 6]  # steps done when the teacher is looked at


def watched(folder: Path, run: Path, *settings: str, resume: bool = False, probe: bool = True) -> list[str]:
    if probe:
        settings = (f"monitor.probe={folder / 'blocks'}", *settings)
    return command(folder / "tiny.toml", [folder / "blocks"], run, *settings, resume=resume)


def events_of(run: Path) -> list[Event]:
    """Read events as TensorBoard does: a start event voids events of earlier files from its step on."""
    kept: list[Event] = []
    for path in sorted((run / "tensorboard").iterdir()):
        data, begin = path.read_bytes(), 0
        while begin < len(data):
            (length,) = struct.unpack_from("<Q", data, begin)
            event = Event.FromString(data[begin + 12 : begin + 12 + length])
            begin += 12 + length + 4
            if event.session_log.status == SessionLog.START:
                kept = [other for other in kept if other.step < event.step]
            kept.append(event)
    return kept


def scalars_of(run: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events_of(run):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found
