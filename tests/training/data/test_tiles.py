"""Check the positions of tiles of each caller; all but those of crops were recorded before there was one cutter."""

from __future__ import annotations

import numpy as np

from tests.support.blocks import small_model
from tests.support.geotiffs import BANDS, PLACED, write
from training.data.dataset import ChipFolder
from training.landcover.chips import CropSampler, LabelledChip
from training.monitor.pictures import choose_scenes
from training.quantise import random_tiles
from training.run.finetune_config import CropAugmentConfig
from training.study.material import tiles_of

CROPS = [(54, 1635), (1156, 707), (40, 489), (60, 1641), (165, 1746), (48, 497)]  # seed 3; some are mirrored
CHECKED = [(382, 1901), (1199, 688)]
QUANTISED = [(1161, 3052), (0, 351), (1947, 3838), (745, 2636), (624, 2515), (918, 2809)]  # seed 1
STEP = 1 / 512  # dB from one pixel to the next, exact in float32


def numbered(height, width):
    return np.arange(height * width).reshape(height, width)


def ramp(path, height, width):
    """Write a raster whose VV encodes the number of each pixel."""
    vv = (numbered(height, width) * STEP - 25).astype(np.float32)
    write(path, np.stack([vv, vv - 7]), ("VV", "VH"), **PLACED)


def corners(numbers):
    return [(int(tile[0, 0]), int(tile[-1, -1])) for tile in numbers]


def chip(height, width):
    return LabelledChip(np.full((2, height, width), -10, np.float16), numbered(height, width).astype(np.int16), 0.0)


def test_labelled_crops_of_a_seed_stay_where_they_were():
    sampler = CropSampler([chip(40, 50), chip(20, 60)], BANDS, 32, CropAugmentConfig(), seed=3)
    assert corners(sampler.batch(0, 6)[1]) == CROPS
    assert corners(sampler.chips_at([0, 1])[1]) == CHECKED


def test_tiles_of_a_seed_for_eight_bits_stay_where_they_were(tmp_path):
    ramp(tmp_path / "a.tif", 70, 60)
    ramp(tmp_path / "b.tif", 20, 40)
    folder = ChipFolder(tmp_path, BANDS)
    vv = [tile[0] for tile in random_tiles([folder], BANDS, 32, 6, seed=1)]
    assert corners([np.round((x * BANDS[0].std + BANDS[0].mean + 25) / STEP) for x in vv]) == QUANTISED


def test_tiles_cover_a_chip_and_count_each_pixel_once():
    for height, width in ((40, 50), (20, 60), (64, 32), (5, 7)):
        tiles = list(tiles_of(chip(height, width), 32, BANDS))
        labels = np.concatenate([tile.target[tile.target >= 0] for tile in tiles])
        assert sorted(labels) == list(range(height * width))
        assert all(tile.x.shape == (2, 32, 32) for tile in tiles)


def test_a_picture_shows_the_centre(tmp_path):
    ramp(tmp_path / "a.tif", 70, 61)
    folder = ChipFolder(tmp_path, BANDS)
    (scene,) = choose_scenes([folder], small_model(), 1)
    assert corners([np.round((scene.db[0] + 25) / STEP)]) == [(3 * 61 + 2, 66 * 61 + 57)]
