"""An elevation model is read in cells of about the map's pixels: all of it, and each height in its place."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.crs import CRS

from backend.grd.elevation import Elevation
from tests.support.make_orbit import write_dem

UTM = CRS.from_epsg(32632)


@pytest.mark.parametrize(("rows", "columns"), [(12, 12), (10, 15), (9, 12), (3, 2)])
def test_a_finer_model_is_averaged_to_its_far_edges(tmp_path, rows, columns):
    heights = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    path = write_dem(tmp_path / "dem.tif", heights, 500_000, 5_000_000, 10, UTM)
    with Elevation(str(path), 40.0) as elevation:
        assert elevation.shape == (-(-rows // 4), -(-columns // 4))
        found = elevation.read(0, 0, *elevation.shape)
        cells = [[heights[top : top + 4, left : left + 4].mean() for left in range(0, columns, 4)]
                 for top in range(0, rows, 4)]  # fmt: skip
        assert found == pytest.approx(np.array(cells))
        corner = np.array([(500_000 + 10 * columns - 1, 5_000_000 - 10 * rows + 1)], dtype=float)
        top, left, bottom, right = elevation.window(elevation.pixels(UTM, corner))
        assert (bottom, right) == elevation.shape
        assert elevation.read(top, left, bottom, right)[-1, -1] == pytest.approx(cells[-1][-1])
        assert elevation.span((0, 0, *elevation.shape)) == pytest.approx((np.min(cells), np.max(cells)))
