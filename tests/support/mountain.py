"""A mountain with bright points: as a product that shows it, and as an elevation model."""

from __future__ import annotations

import numpy as np

from tests.support.make_safe import make_safe
from tests.support.safe.orbit import Imaged, seen, write_dem

DESCENDING = Imaged()


def middle(geometry: Imaged):
    """Return longitude and latitude of the middle of an image."""
    (place,) = np.transpose(geometry.ground([geometry.shape[0] / 2], [geometry.shape[1] / 2]))
    return place


def mountain(geometry: Imaged, longitude, latitude, peak=1500.0):
    """Return heights above the ellipsoid: 200 m, and a mountain in the middle of an image."""
    east, north = middle(geometry)
    x = (longitude - east) * 111_320 * np.cos(np.radians(north))
    y = (latitude - north) * 111_320
    return 200 + peak * np.exp(-(x**2 + y**2) / (2 * 1900.0**2))


def spots(geometry):
    """Return longitude and latitude of points on the mountain."""
    east, north = middle(geometry)
    aside = ((0, 0), (0.008, 0.003), (-0.009, 0.001), (0.002, 0.009), (-0.001, -0.01), (0.013, -0.006))
    return np.array([(east + dx, north + dy) for dx, dy in aside])


def product_of(folder, geometry, **changes):
    """Write a product that shows these points as bright spots of about a sample."""
    seen_at = [geometry.image(x, y, mountain(geometry, x, y)) for x, y in spots(geometry)]

    def numbers(line, sample):
        values = np.full(line.shape, 60.0)
        for at, over in seen_at:
            values += 9000 * np.exp(-((line - at) ** 2 + (sample - over) ** 2) / 2)
        return values

    return make_safe(folder, seen(geometry, numbers=numbers, **changes))


def dem_of(path, geometry, heights=None, step=1 / 3600, reach=0.2, **profile):
    """Write an elevation model of the mountain, in degrees; `heights` may change its values."""
    east, north = middle(geometry)
    count = round(2 * reach / step)
    across, down = (start + (np.arange(count) + 0.5) * step for start in (east - reach, north - reach))
    values = mountain(geometry, across[None], down[::-1, None])
    values = heights(values, across[None], down[::-1, None]) if heights else values
    return str(write_dem(path, values.astype(np.float32), (east - reach, north + reach), step, **profile))
