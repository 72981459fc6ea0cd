"""Write rasters whose tags say that they are simulated."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

TITLE = "Simulated Sentinel-1 scenes with land-cover labels (not observed data)"


class Place(NamedTuple):
    """Locate a raster: transform from pixels to metres, and EPSG code."""

    transform: Affine
    epsg: int


def write_raster(
    path: Path, bands: NDArray[np.generic], place: Place, names: tuple[str, ...], nodata: float, **more: float | str
) -> None:
    """Write a compressed GeoTIFF whose tags say that it is simulated.

    Args:
        path: File to write.
        bands: Values [B, H, W] in the dtype of the file.
        place: Its location.
        names: B band descriptions.
        nodata: Nodata value.
        more: scale, the physical value of one stored unit; day, the date as YYYY-MM-DD.
    """
    options = {"f": {"predictor": 3}, "i": {"predictor": 2, "tiled": True}}.get(bands.dtype.kind, {})
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=bands.shape[1],
        width=bands.shape[2],
        count=bands.shape[0],
        dtype=bands.dtype.name,
        crs=f"EPSG:{place.epsg}",
        transform=place.transform,
        nodata=nodata,
        compress="deflate",
        zlevel=1,
        **options,
    ) as sink:
        sink.write(bands)
        for number, name in enumerate(names, start=1):
            sink.set_band_description(number, name)
        if "scale" in more:
            sink.scales = (more["scale"],) * bands.shape[0]
        if "day" in more:
            sink.update_tags(ACQUISITION_DATE=more["day"])
        sink.update_tags(SIMULATED="yes", TIFFTAG_IMAGEDESCRIPTION=TITLE)
