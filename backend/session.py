"""What a run needs before its first tile: card, checked outputs, opened raster, decided units, device and model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import __version__
from backend.cancel import Cancel
from backend.card import LandCoverClass, ModelCard
from backend.errors import InputError
from backend.frames import FilledFrame, NativeFrame, ScaledFrame
from backend.grid import Grid
from backend.legend import aux_xml
from backend.library import CARD, model_folder
from backend.output_path import check_distinct, check_output
from backend.radiometry import (
    Units,
    check_coherence,
    check_units,
    decide_units,
    is_backscatter,
    rows_that_tell_units,
    to_scale,
)
from backend.raster import BoolArray, RasterSource, gdal_environment
from backend.report import Reporter
from backend.resample import MAX_REFINE, scale_factor
from backend.room import check_room
from backend.sink import Layer, RasterSink
from backend.stack import scene_files
from backend.units import nodata_doubt, units_doubt

if TYPE_CHECKING:
    import torch

    from backend.vit import SarViT


@dataclass
class Request:
    """What a user asks for, whatever the output.

    Attributes:
        input: Raster to read, or a pattern of several.
        further: More rasters or patterns of the same scene, whose bands follow those of `input`.
        output: Main raster to write.
        model: Name of an installed model, folder, or None for the default.
        bands: Band numbers in the card's order, 0 for one that is missing; None to find them.
        units: Unit of the raster's values.
        extent: xmin, ymin, xmax, ymax in the raster's CRS; None for all.
        device: auto, cpu, cuda or mps.
        batch_size: Tiles at once; 0 to choose.
        overwrite: Whether existing outputs are replaced.
        reporter: Told what happens.
        cancel: Ends the run when set.
    """

    input: str
    output: Path
    model: str | Path | None = None
    bands: Sequence[int] | None = None
    units: Units = Units.AUTO
    extent: Sequence[float] | None = None
    device: str = "auto"
    batch_size: int = 0
    overwrite: bool = False
    reporter: Reporter = field(default_factory=Reporter)
    cancel: Cancel = field(default_factory=Cancel)
    further: Sequence[str] = ()


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
        self._began = time.monotonic()
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
        names = [band.name for band in self.card.bands]
        self.files = scene_files(request.input, request.further)
        self.source = stack.enter_context(
            RasterSource(self.files, request.bands, request.extent, names, bears_missing=self.card.bears_missing_bands)
        )
        self.bands = [self.card.bands[position] for position in self.source.present]
        stack.enter_context(gdal_environment(self.source.cache_bytes()))
        check_distinct(list(self._outputs.values()))
        for path in self._outputs.values():
            for file in self.files:
                check_output(path, file, request.overwrite)
        for level, message in self.source.notes:
            request.reporter.log(level, message)
        self._decide_units()
        self._fit_grid()
        check_room(self.frame.width, self.card)
        self._twin: RasterSource | None = None
        request.cancel.check()
        self._load_model()
        request.reporter.start(
            version=__version__,
            command=self._command,
            model=self.card.name,
            device=self.device_text,
            input=request.input,
            outputs={role: str(path) for role, path in self._outputs.items()},
        )

    def _decide_units(self) -> None:
        log = self.request.reporter.log
        sample, valid = self.source.sample()
        check_coherence(sample[~is_backscatter(self.bands)], valid)
        rows = rows_that_tell_units(self.bands)
        if not rows:  # coherence alone has no unit to be told
            self.units = Units.DB
            return
        values = sample[rows]
        doubts = []
        if self.request.units is Units.AUTO:
            self.units = decide_units(values, valid)
            log("info", f"Units of the raster, judged by its values: {self.units.value}.")
            doubts.append(units_doubt(values, valid))
        else:
            self.units = self.request.units
            check_units(self.units, values, valid)
        doubts.append(nodata_doubt(self.units, values, valid))
        for doubt in filter(None, doubts):
            log("warning", doubt)

    def _fit_grid(self) -> None:
        metres, gsd, log = self.source.pixel_metres, self.card.gsd_m, self.request.reporter.log
        # Down (rows) before across (columns).
        self.factors = (scale_factor(metres[1], gsd), scale_factor(metres[0], gsd)) if metres else (1.0, 1.0)
        frame: NativeFrame | ScaledFrame = NativeFrame(self.source, self.bands, self.units)
        scaled = metres is not None and self.factors != (1.0, 1.0)
        if scaled:
            frame = ScaledFrame(self.source, self.bands, self.units, self.factors)
        whole = len(self.bands) == len(self.card.bands)
        self.frame = frame if whole else FilledFrame(frame, self.source.present, len(self.card.bands))
        if metres is None or not scaled:
            return
        found = f"Pixels are {metres[0]:.4g} x {metres[1]:.4g} m, the model's are {gsd:g} m"
        log("info", f"{found}: resampled in linear power, and the result brought back to the input's grid.")
        if max(metres) > 1.5 * gsd:
            capped = f" Refined {MAX_REFINE:g} times, no further." if max(metres) > MAX_REFINE * gsd else ""
            log("warning", f"The raster is coarser than what the model was made for; expect a poorer map.{capped}")

    def _load_model(self) -> None:
        # PyTorch takes seconds to import: only now that everything else is known to be right.
        from backend.device import auto_batch, choose_device, device_name
        from backend.weights import load_model

        self.device: torch.device = choose_device(self.request.device)
        self.device_text = device_name(self.device)
        self.model: SarViT
        self.model, self.card = load_model(self.folder, self.device)
        self.batch = self.request.batch_size or auto_batch(self.model, self.card.tile, self.device)

    def validity(self, top: int, bottom: int) -> BoolArray:
        """Validity [rows, width] of the raster's own pixels, read apart from the stream, from one thread."""
        if self._twin is None:
            self._twin = self._stack.enter_context(self.source.reopen())
        return to_scale(*self._twin.read(top, bottom), self.bands, self.units)[1]

    def tags(self, role: str = "output") -> dict[str, str]:
        """Metadata by which the output of a role can be told and made again."""
        return {
            "SARDINO_VERSION": __version__,
            "SARDINO_MODEL": self.card.name,
            "SARDINO_MODEL_SHA256": self.card.weights_sha256,
            "SARDINO_INPUT": ", ".join(Path(file).name for file in self.files),
            "SARDINO_OUTPUT": role if role != "output" else self._command,
            # What other programs show of a TIFF.
            "TIFFTAG_SOFTWARE": f"SAR Land Cover (DINO) {__version__}",
            "TIFFTAG_IMAGEDESCRIPTION": f"{role if role != 'output' else self._command} of "
            f"{Path(self.files[0]).name} by the model {self.card.name}",
        }

    def sink(self, role: str, layer: Layer, grid: Grid | None = None) -> RasterSink:
        """The output of a role, on the input's grid or another; removed on the way out unless it is committed."""
        sink = RasterSink(
            self._outputs[role], grid or self.source.grid, Layer(**{**vars(layer), "tags": self.tags(role)})
        )
        self._stack.callback(sink.discard)
        self.request.cancel.on_deadline(sink.remove_parts)
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
        for sink in self._sinks.values():
            self.request.cancel.check()
            sink.finish()

    def finish(self, styles: dict[str, str], classes: Sequence[LandCoverClass] = ()) -> None:
        """Give all outputs their names, the main one last.

        Args:
            styles: QGIS style of each role.
            classes: Legend of the main output.
        """
        date = datetime.now(timezone.utc).isoformat(timespec="seconds")
        for role, sink in self._sinks.items():
            sink.add_sidecar(".qml", styles[role])
            sink.add_sidecar(".aux.xml", aux_xml(classes if role == "output" else (), {"SARDINO_DATE": date}))
        with self.request.cancel.shielded():
            ordered = [self._sinks[role] for role in sorted(self._sinks, key=lambda role: role == "output")]
            # What may fail comes first, for all outputs: a full disk, then a raster that a program holds.
            for step in (RasterSink.prepare, RasterSink.place, RasterSink.place_sidecars):
                for sink in ordered:
                    step(sink)

    def report(self, **more: Any) -> dict[str, Any]:
        """The facts of the result, sent to the reporter too."""
        facts = {
            "outputs": {role: str(path) for role, path in self._outputs.items()},
            "device": self.device_text,
            "seconds": round(time.monotonic() - self._began, 3),
            "model": self.card.name,
            **more,
        }
        self.request.reporter.result(facts)
        return facts
