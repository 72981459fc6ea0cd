"""Measure whether attention shows areas or a few bright spots: its largest value over its median, for each raster.

    python -m benchmarks.checks.attention_spots MODEL [MODEL ...] --rasters FILE [FILE ...]

The mean attention over heads is made as by users (`python -m backend attention`). Where areas stand out, the ratio is a
few; where single patches take nearly all of the attention (Darcet et al., arXiv 2309.16588, figure 2), it is tens to
hundreds. Rasters are VV and VH in dB.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import rasterio

from backend.maps.attention import attention
from backend.maps.request import Request
from backend.radiometry.units import Units


def spots(model: Path, raster: Path) -> float:
    """Return the largest value of the mean attention over its median."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "attention.tif"
        attention(Request(str(raster), output, model, units=Units.DB))
        with rasterio.open(output) as source:
            values = source.read(1)
    return float(np.nanmax(values) / np.nanmedian(values))


def main() -> None:
    """Print a line for each model and raster."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--rasters", type=Path, nargs="+", required=True)
    given = parser.parse_args()
    for raster in given.rasters:
        for model in given.models:
            print(f"{raster.stem:16} {model.name:24} largest / median {spots(model, raster):.1f}", flush=True)


if __name__ == "__main__":
    main()
