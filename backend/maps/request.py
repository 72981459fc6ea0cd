"""Hold what a user asks of a model, whatever the output, and whom a run answers to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.core.cancel import Cancel
from backend.core.events import Reporter
from backend.maps.load import ModelCache
from backend.radiometry.units import Units


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        input: Raster to read, a pattern of several, or a Sentinel-1 GRD product as downloaded.
        output: Main raster to write.
        model: Name of an installed model, folder, or None for the default.
        bands: Band numbers in the card's order, 0 for one that is missing; None to find them.
        units: Unit of the raster's values.
        extent: xmin, ymin, xmax, ymax in the raster's CRS (for a product longitude and latitude); None for all.
        device: auto, cpu, cuda or mps.
        engine: One of `backend.engines.choice.ENGINES`.
        batch_size: Tiles at once; 0 to choose.
        overwrite: Whether existing outputs are replaced.
        further: More rasters or patterns of the same scene, whose bands follow those of `input`.
    """

    input: str
    output: Path
    model: str | Path | None = None
    bands: Sequence[int] | None = None
    units: Units = Units.AUTO
    extent: Sequence[float] | None = None
    device: str = "auto"
    engine: str = "auto"
    batch_size: int = 0
    overwrite: bool = False
    further: Sequence[str] = ()


@dataclass(frozen=True)
class Context:
    """What a run shares with its caller.

    Attributes:
        reporter: Receives events.
        cancel: Ends the run when set.
        models: Keeps the model loaded for the next run with the same context.
    """

    reporter: Reporter = field(default_factory=Reporter)
    cancel: Cancel = field(default_factory=Cancel)
    models: ModelCache = field(default_factory=ModelCache)
