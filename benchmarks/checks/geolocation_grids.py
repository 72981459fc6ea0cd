"""Send the geolocation grids of Sentinel-1 products through the range-Doppler equations, and print what they miss.

    python -m benchmarks.checks.geolocation_grids FOLDER

FOLDER holds products, or zips of their annotation. The program prints, for each product, the largest distance of a grid
point from its own line and sample, and that of all points but those of the last line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from backend.core.errors import InputError
from backend.grd.container import is_product
from backend.grd.product import Channel, open_product
from backend.grd.terrain.range_doppler import RangeDoppler


def missed(channel: Channel) -> tuple[np.ndarray, np.ndarray]:
    """Return by how many samples and lines grid points are missed, [n, 2], and the lines of the points, [n]."""
    points = channel.annotation.all("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    names = ("longitude", "latitude", "height", "pixel", "line")
    table = np.array([[float(point.numbers(name)[0]) for name in names] for point in points])
    found = RangeDoppler(channel).positions(table[:, :2], table[:, 2]) - 0.5
    return found - table[:, 3:], table[:, 4]


def main() -> None:
    """Print the distances."""
    for path in sorted(Path(sys.argv[1]).iterdir()):
        if not is_product(str(path)):
            continue
        try:
            product = open_product(str(path))
        except InputError as error:
            print(f"{path.name}: {error.message}")
            continue
        apart, lines = missed(product.channels[0])
        before = apart[lines < lines.max()]
        texts = [
            f"{name} {np.abs(values[:, 1]).max():.2f} lines, {np.abs(values[:, 0]).max():.4f} samples"
            for name, values in (("all", apart), ("but the last line", before))
        ]
        print(f"{product.name[:17]} {product.start[:10]}, IPF {product.processor}: {'; '.join(texts)}")


if __name__ == "__main__":
    main()
