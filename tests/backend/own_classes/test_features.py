"""Test features of samples: the tokens that principal components are fitted to."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from backend.core.arrays import FloatArray
from backend.network.vit import SarViT
from backend.own_classes.features import gather_features
from backend.own_classes.learn import own_arch
from backend.own_classes.pixels import SamplePixels
from backend.stream.cutting import read_tile_row
from backend.stream.fill import fill_invalid
from backend.stream.rows import TileRows
from backend.stream.tiling import plan_tiles


class ArrayFrame:
    """Network input from an array; 0 in all bands is invalid."""

    def __init__(self, x: FloatArray) -> None:
        self.x, (self.height, self.width) = x, x.shape[1:]

    def read(self, top, bottom):
        return self.x[:, top:bottom], (self.x[:, top:bottom] != 0).any(axis=0)


@pytest.fixture
def model(card):
    torch.manual_seed(0)
    return SarViT(own_arch(card().arch), 2, 64, 8, 1).eval()


def test_components_use_each_valid_patch_once(model):
    """Invalid patches, reflected patches beyond the raster and the second view of a patch are not used."""
    x = np.random.default_rng(0).normal(0, 1, (2, 100, 90)).astype(np.float32)
    x[:, :, :30] = 0
    frame, plan = ArrayFrame(x), plan_tiles(100, 90, 64, 16, 8)
    places = SamplePixels(*(np.array(values) for values in ([5, 5, 90, 90], [40, 80, 40, 80], [0, 1, 2, 3])))
    tiles: list[int] = []

    def ask(batch):
        with torch.inference_mode():
            return torch.cat(model.features(torch.from_numpy(batch)), dim=1).numpy()

    found = gather_features(ask, frame, plan, places, 3, tiles.append).components
    tokens, rows = [], TileRows(frame, plan)
    for row, column in plan:
        top, left = plan.rows.origins[row], plan.columns.origins[column]
        tile, valid = (each[..., left : left + 64] for each in read_tile_row(rows, plan, row))
        tile = fill_invalid(tile, valid)
        with torch.inference_mode():
            grid = torch.cat(model.features(torch.from_numpy(tile[None])), dim=1)[0].numpy()
        for r in range(8):
            for c in range(8):
                y, x = top + 8 * r, left + 8 * c
                # Tiles overlap in pixels 48 … 63: the patch at 48 belongs to the first, that at 56 to the second.
                own = (y >= 56) == bool(row) and (x >= 56) == bool(column) and y < 100 and x < 90
                if own and valid[8 * r : 8 * r + 8, 8 * c : 8 * c + 8].any():
                    tokens.append(grid[:, r, c])
    assert tiles[-1] == 4 and len(tokens) == 13 * (12 - 3)
    standard = (np.array(tokens) - np.mean(tokens, axis=0)) / np.std(tokens, axis=0)
    expected = PCA(len(found.deviations)).fit(standard)
    np.testing.assert_allclose(
        found.deviations**2, expected.explained_variance_ * (len(tokens) - 1) / len(tokens), rtol=1e-3
    )
    np.testing.assert_allclose(found.mean, np.mean(tokens, axis=0), rtol=1e-4, atol=1e-5)
