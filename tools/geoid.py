"""Make resources/geoid/egm96.tif from the grid of EGM96 that PROJ distributes (in Debian's package proj-data).

    .venv/bin/python -m tools.geoid /usr/share/proj/egm96_15.gtx

EGM96 is by NASA's Goddard Space Flight Center and the National Geospatial-Intelligence Agency of the United States,
and is in the public domain. Heights are kept to a tenth of a metre, which is below the error of the model.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import rasterio

TARGET = Path(__file__).resolve().parents[1] / "resources" / "geoid" / "egm96.tif"


def main() -> None:
    """Write the grid."""
    with rasterio.open(sys.argv[1]) as source:
        tenths = np.rint(source.read(1) * 10).astype(np.int16)
        profile = {
            "driver": "GTiff", "dtype": "int16", "count": 1, "width": source.width, "height": source.height,
            "crs": source.crs, "transform": source.transform, "compress": "deflate", "predictor": 2, "zlevel": 9,
        }  # fmt: skip
    TARGET.parent.mkdir(exist_ok=True)
    with rasterio.open(TARGET, "w", **profile) as target:
        target.write(tenths, 1)
        target.scales, target.units = (0.1,), ("m",)
        target.set_band_description(1, "height of the geoid EGM96 above the ellipsoid of WGS 84")
        target.update_tags(TIFFTAG_COPYRIGHT="EGM96, public domain (NASA GSFC and NGA)")


if __name__ == "__main__":
    main()
