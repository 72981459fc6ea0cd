"""Write the outputs of a run, and rename them together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend import PROGRAM, __version__
from backend.card.model_card import LandCoverClass
from backend.maps.prepare import Prepared
from backend.output.raster_set import RasterSet, open_sink
from backend.output.sink import Layer, RasterSink
from backend.output.styles import legend_tags
from backend.radiometry.checks import as_json
from backend.raster.acquisition import span_tags
from backend.raster.grid import Grid


class Outputs:
    """Hold the rasters of a run by role, as a context: those that were not committed are removed at its end.

    Args:
        prepared: The run.
    """

    def __init__(self, prepared: Prepared) -> None:
        self._prepared, self._cancel = prepared, prepared.context.cancel
        self._stack = ExitStack()
        self._rasters = RasterSet(self._stack, self._cancel)

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def sink(self, role: str, layer: Layer, grid: Grid | None = None) -> RasterSink:
        """Open the output of a role, on the input's grid or another."""
        layer = replace(layer, tags=self.tags(role))
        return self._rasters.open(role, self._prepared.paths[role], grid or self._prepared.scene.grid, layer)

    def scratch(self, layer: Layer, grid: Grid) -> RasterSink:
        """Open a raster next to the main output that is needed until the end of the run only."""
        return open_sink(self._prepared.paths["output"], grid, layer, self._stack, self._cancel, scratch=".floats")

    def tags(self, role: str = "output") -> dict[str, str]:
        """Return metadata by which the output of a role can be recognised and made again."""
        scene, card = self._prepared.scene.name, self._prepared.card
        what = role if role != "output" else self._prepared.command
        legend = legend_tags(card.classes) if what == "landcover" else {}
        return {
            **legend,
            "SARDINO_VERSION": __version__,
            "SARDINO_MODEL": card.name,
            "SARDINO_MODEL_SHA256": card.weights_sha256,
            "SARDINO_INPUT": scene,
            "SARDINO_OUTPUT": what,
            "SARDINO_CHECKS": as_json(self._prepared.scene.checks),
            **self._dates(),
            # Tags of a TIFF that other programs show.
            "TIFFTAG_SOFTWARE": PROGRAM,
            "TIFFTAG_IMAGEDESCRIPTION": f"{what} of {scene} by the model {card.name}",
        }

    def _dates(self) -> dict[str, str]:
        """Return when the scene was acquired, and the files of further dates."""
        scene = self._prepared.scene
        further = ", ".join(Path(date.placed.source.path).name for date in scene.dates)
        return {**span_tags(scene.spans), **({"SARDINO_FURTHER_DATES": further} if further else {})}

    def close(self) -> None:
        """Close and check all outputs."""
        self._prepared.timings.end("run")
        self._rasters.finish()

    def commit(self, styles: dict[str, str], classes: Sequence[LandCoverClass] = ()) -> None:
        """Give all outputs their names, the main one last.

        Args:
            styles: QGIS style of each role.
            classes: Legend of the main output.
        """
        self._rasters.add_styles(styles, classes)
        with self._cancel.shielded():
            self._rasters.place()
