"""Open the rasters of one run, add styles, and give all of them their names together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from backend.card.model_card import LandCoverClass
from backend.core.cancel import Cancel
from backend.output.sink import Layer, RasterSink
from backend.output.styles import aux_xml, date_now
from backend.output.transaction import place_together
from backend.raster.grid import Grid


class RasterSet:
    """Hold the rasters of a run by role; "output" is the main one.

    Args:
        stack: Removes the rasters that have no names yet when the run ends.
        cancel: Ends the run when set.
    """

    def __init__(self, stack: ExitStack, cancel: Cancel) -> None:
        self._stack, self._cancel = stack, cancel
        self._sinks: dict[str, RasterSink] = {}

    def open(self, role: str, path: Path, grid: Grid, layer: Layer) -> RasterSink:
        """Open the raster of a role."""
        self._sinks[role] = open_sink(path, grid, layer, self._stack, self._cancel)
        return self._sinks[role]

    def finish(self) -> None:
        """Close and check all rasters, which can be read from then on."""
        for sink in self._sinks.values():
            self._cancel.check()
            sink.finish()

    def add_styles(self, styles: Mapping[str, str], classes: Sequence[LandCoverClass] = ()) -> None:
        """Add sidecars.

        Args:
            styles: QGIS style of each role.
            classes: Legend of the main raster.
        """
        date = date_now()
        for role, sink in self._sinks.items():
            add_style(sink, styles[role], classes if role == "output" else (), date)

    def place(self) -> None:
        """Give all rasters their names, the main one last; see `place_together`."""
        place_together([self._sinks[role].files for role in sorted(self._sinks, key=lambda role: role == "output")])


def open_sink(path: Path, grid: Grid, layer: Layer, stack: ExitStack, cancel: Cancel, scratch: str = "") -> RasterSink:
    """Open a raster that is removed with the stack, or if the process is ended by force, unless it has its name.

    Args:
        path: Final name.
        grid: Its pixels.
        layer: Its contents.
        stack: Removes it.
        cancel: Removes it before the process is ended.
        scratch: See `RasterSink`.
    """
    sink = RasterSink(path, grid, layer, scratch)
    stack.callback(sink.discard)
    cancel.on_deadline(sink.files.remove_parts)
    return sink


def add_style(
    sink: RasterSink, style: str, classes: Sequence[LandCoverClass] = (), date: Mapping[str, str] | None = None
) -> None:
    """Add the sidecars of a raster: its QGIS style, and the .aux.xml with date (now if None) and names of classes."""
    sink.files.add_sidecar(".qml", style)
    sink.files.add_sidecar(".aux.xml", aux_xml(classes, date_now() if date is None else date))
