"""Write small rasters through the sink."""

from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import from_origin

from backend.output.sink import Layer, RasterSink
from backend.raster.grid import Grid

LAYER = Layer("uint8", 0, ["land cover"], {10: (0, 100, 0), 80: (0, 100, 200)}, {"SARDINO_MODEL": "m"})


def write(path, values: NDArray, step: int = 37, layer: Layer = LAYER) -> RasterSink:
    """Return a sink to which [bands, rows, width] were written, `step` rows at a time."""
    grid = Grid(CRS.from_epsg(32630), from_origin(5e5, 4e6, 10, 10), values.shape[2], values.shape[1])
    sink = RasterSink(path, grid, layer)
    for top in range(0, values.shape[1], step):
        sink.write(values[:, top : top + step])
    return sink
