"""What a run needs before its first tile: card, checked outputs, opened raster, decided units, device and model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import __version__
from backend.card.model_card import LandCoverClass, ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.errors import InputError
from backend.engines.choice import check_engine
from backend.maps.laps import Laps
from backend.maps.request import Request
from backend.maps.room import check_room
from backend.maps.scene import Scene, check_inputs
from backend.raster.grid import Grid
from backend.raster.output_names import check_parts, claim_outputs
from backend.raster.sink import Layer, RasterSink
from backend.raster.source import gdal_environment
from backend.raster.styles import aux_xml, date_now
from backend.raster.transaction import place_together
from backend.raster.virtual import scene_files

if TYPE_CHECKING:
    import torch

    from backend.network.vit import SarViT


class Session:
    """One run, as a context: on the way out everything is closed, and what was not committed is removed.

    Args:
        request: What is asked for.
        command: Name of the output asked for, such as "landcover".
        outputs: Paths to be written by role; "output" is the main one.

    Raises:
        SarDinoError: Something asked for can't be had; cheap checks come first, before PyTorch is imported.
    """

    def __init__(self, request: Request, command: str, outputs: dict[str, Path]) -> None:
        self.request, self._command, self._outputs = request, command, outputs
        self._began, self._laps = time.monotonic(), Laps()
        # What ran the tiles in the end; `backend.maps.emit.send_tiles` says.
        self.engine = "pytorch"
        self._sinks: dict[str, RasterSink] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Session:
        with ExitStack() as stack:
            stack.enter_context(gdal_environment())
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def _open(self, stack: ExitStack) -> None:
        request = self.request
        self.folder = model_folder(request.model)
        self.card = ModelCard.load(self.folder / CARD)
        check_engine(request.engine, request.device, self.card)
        files = scene_files(request.input, request.further)
        check_inputs(files)
        paths = list(self._outputs.values())
        stack.enter_context(claim_outputs(paths, files, request.overwrite, request.cancel))
        self.scene = Scene(request, files, self.card, request.output, stack)
        self.source, self.frame, self.factors = self.scene.source, self.scene.frame, self.scene.factors
        check_parts(paths, self.source.files)
        check_room(self.frame.width, self.card)
        request.cancel.check()
        self._laps.end("check")
        self._load_model()
        self._laps.end("load")
        request.reporter.start(
            version=__version__,
            command=self._command,
            model=self.card.name,
            device=self.device_text,
            input=request.input,
            outputs={role: str(path) for role, path in self._outputs.items()},
        )

    def _load_model(self) -> None:
        # PyTorch takes seconds to import: only now that everything else is known to be right.
        from backend.engines.pytorch import auto_batch, choose_device, device_name
        from backend.network.weights import load_model

        request = self.request
        self._laps.end("import")
        self.device: torch.device = choose_device("cpu" if request.engine.startswith("openvino") else request.device)
        self.device_text = device_name(self.device)
        self.model: SarViT
        self.model, self.card = load_model(self.folder, self.device)
        self.batch = request.batch_size or auto_batch(self.model, self.card.tile, self.device)

    def tags(self, role: str = "output") -> dict[str, str]:
        """Metadata by which the output of a role can be told and made again."""
        what = role if role != "output" else self._command
        return {
            "SARDINO_VERSION": __version__,
            "SARDINO_MODEL": self.card.name,
            "SARDINO_MODEL_SHA256": self.card.weights_sha256,
            "SARDINO_INPUT": self.scene.name,
            "SARDINO_OUTPUT": what,
            # What other programs show of a TIFF.
            "TIFFTAG_SOFTWARE": f"SAR Land Cover (DINO) {__version__}",
            "TIFFTAG_IMAGEDESCRIPTION": f"{what} of {self.scene.name} by the model {self.card.name}",
        }

    def sink(self, role: str, layer: Layer, grid: Grid | None = None) -> RasterSink:
        """The output of a role, on the input's grid or another; removed on the way out unless it is committed."""
        sink = RasterSink(
            self._outputs[role], grid or self.source.grid, Layer(**{**vars(layer), "tags": self.tags(role)})
        )
        self._stack.callback(sink.discard)
        self.request.cancel.on_deadline(sink.files.remove_parts)
        self._sinks[role] = sink
        return sink

    def no_valid_pixel(self) -> InputError:
        """The refusal of a raster in which nothing was valid."""
        return InputError(
            f"{self.request.input} has no valid pixel in the bands and extent asked for.",
            "Check the nodata value, the units, the bands and the extent.",
        )

    def close_outputs(self) -> None:
        """Close and check all outputs."""
        self._laps.end("run")
        for sink in self._sinks.values():
            self.request.cancel.check()
            sink.finish()

    def finish(self, styles: dict[str, str], classes: Sequence[LandCoverClass] = ()) -> None:
        """Give all outputs their names, the main one last.

        Args:
            styles: QGIS style of each role.
            classes: Legend of the main output.
        """
        date = date_now()
        for role, sink in self._sinks.items():
            sink.files.add_sidecar(".qml", styles[role])
            sink.files.add_sidecar(".aux.xml", aux_xml(classes if role == "output" else (), date))
        with self.request.cancel.shielded():
            place_together([self._sinks[role].files for role in sorted(self._sinks, key=lambda role: role == "output")])

    def report(self, **more: Any) -> dict[str, Any]:
        """The facts of the result, sent to the reporter too; timings are seconds by part, in order."""
        self._laps.end("write")
        facts = {
            "outputs": {role: str(path) for role, path in self._outputs.items()},
            "device": self.device_text,
            "engine": self.engine,
            "seconds": round(time.monotonic() - self._began, 3),
            "timings": self._laps.rounded(),
            "model": self.card.name,
            **more,
        }
        self.request.reporter.result(facts)
        return facts
