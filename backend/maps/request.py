"""Define the request and the context that all maps share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.core.context import Context
from backend.grd.request import Slopes
from backend.maps.load import ModelCache
from backend.radiometry.units import Units


@dataclass(frozen=True)
class Request:
    """Hold a user's request for a map.

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
        accept_values: Whether values that can't be backscatter are mapped all the same.
        further: More rasters or patterns of the same scene, whose bands follow those of `input`.
        dates: Rasters, patterns or products of the same place on other dates; each is a date.
        slopes: How the terrain under a product is taken into account.
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
    accept_values: bool = False
    further: Sequence[str] = ()
    dates: Sequence[str] = ()
    slopes: Slopes = field(default_factory=Slopes)


@dataclass(frozen=True)
class MapContext(Context):
    """Share the loaded model as well, with the next run that gets the same context.

    Attributes:
        models: Keeps the model loaded.
    """

    models: ModelCache = field(default_factory=ModelCache)

    @classmethod
    def of(cls, context: Context) -> MapContext:
        """Return a context with the reporter and the cancel of another one."""
        return cls(context.reporter, context.cancel)
