"""Draw windows from whole scenes in little memory, equal to those of images in memory."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from backend.core.errors import UnreadableError
from tests.support.geotiffs import BANDS, PLACED, land, toml, write
from tests.support.pretraining import assert_same_plan, config_of, write_folders
from training.data.dataset import ChipFolder
from training.data.file_entry import WHOLE_VALUES
from training.draws import store as module
from training.draws.batches import StepBatches, iterate
from training.draws.store import ChipStore
from training.run.config import resolve
from training.run.pretrain_config import CropConfig, PretrainConfig

ROOT = Path(module.__file__).resolve().parents[2]
WIDTH, HEIGHT = 6000, 4000
DRAWS = """
import json, resource, sys
from pathlib import Path
import numpy as np
from training.run.pretrain_config import CropConfig, ModelConfig
from training.draws.store import ChipStore

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

start = peak()
store = ChipStore([Path(sys.argv[1])], ModelConfig().bands, 4.0)
crops = CropConfig(window=128)
shares = [float(np.isfinite(store.draw(crops, np.random.default_rng(i)).dates[0]).mean()) for i in range(150)]
print(json.dumps({"grown": peak() - start, "shares": shares}))
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    """Write a tiled scene with a slanted swath edge, 96 MB on disk and 192 MB in memory."""
    folder = tmp_path_factory.mktemp("scene")
    rng = np.random.default_rng(0)
    profile = {"driver": "GTiff", "width": WIDTH, "height": HEIGHT, "count": 2, "dtype": "int16", "nodata": -32768}
    profile |= {"tiled": True, "blockxsize": 256, "blockysize": 256, **PLACED}
    with rasterio.open(folder / "scene.tif", "w", **profile) as file:
        for top in range(0, HEIGHT, 250):
            values = rng.integers(-2350, 150, (2, 250, WIDTH), dtype=np.int16)
            values[1] -= 700  # hundredths of dB
            edge = 1800 + (top + np.arange(250)) // 4
            values[:, np.arange(WIDTH) < edge[:, None]] = -32768
            file.write(values, window=Window(0, top, WIDTH, 250))
        file.descriptions = ("VV", "VH")
        file.scales = (0.01, 0.01)
    return folder


def test_a_scene_is_drawn_from_in_little_memory(scene):
    assert HEIGHT * WIDTH * 2 > WHOLE_VALUES
    done = subprocess.run(
        [sys.executable, "-c", DRAWS, str(scene)], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    found = json.loads(done.stdout)
    assert found["grown"] < 150  # MB; the scene's values are 192, and 64 is the cache of blocks
    assert min(found["shares"]) >= 0.6 and np.mean(found["shares"]) > 0.97
    assert "1 file, VV VH, dB, 10 m" in done.stderr


def test_windows_are_those_of_rasterio_and_estimates_are_near(scene):
    folder = ChipFolder(scene, BANDS)
    (entry,) = folder.entries
    with rasterio.open(scene / "scene.tif") as file:
        for top, left in [(0, 2000), (1111, 2222), (HEIGHT - 96, WIDTH - 96), (300, 1850)]:
            values, valid = folder.read(0, (top, left, 96, 96))
            raw = file.read(window=Window(left, top, 96, 96))
            np.testing.assert_array_equal(valid, (raw != -32768).all(axis=0))
            np.testing.assert_array_equal(values[:, valid], (raw * np.float32(0.01))[:, valid])
        valid = (file.read(1) != -32768).sum()
    assert entry.large and entry.pixels == pytest.approx(valid, rel=0.01)
    assert entry.levels[0] == pytest.approx((-11, 7.2), abs=0.2)


@pytest.mark.parametrize("relative", ["", "affine", "offset"])
def test_an_image_on_disk_gives_the_bits_of_one_in_memory(tmp_path, relative):
    toml(tmp_path, f"places = '^(.)_'\nnodata = [-99]\nlevel_jitter_db = 1.0\nrelative = \"{relative}\"\n")
    for seed in range(4):
        values = land(seed, 100)
        values[:, :, : 20 * seed] = -99
        write(tmp_path / f"{'ab'[seed // 2]}_{seed}.tif", values, ("VV", "VH"), **PLACED)
    kept, read = (ChipStore([tmp_path], BANDS, gb) for gb in (1.0, 0.0))
    crops = CropConfig(window=48)
    for seed in range(40):
        one, other = (store.draw(crops, np.random.default_rng(seed)) for store in (kept, read))
        assert one.gain_db == other.gain_db and len(one.dates) == len(other.dates) == 2
        for a, b in zip(one.dates, other.dates):
            np.testing.assert_array_equal(a, b)
    sent = pickle.loads(pickle.dumps(read))  # to workers, where they aren't forked
    np.testing.assert_array_equal(sent.draw(crops, np.random.default_rng(39)).dates[0], other.dates[0])
    half = ChipStore([tmp_path], BANDS, 1.1e-4)  # room for two of the four
    assert [(0, index) in half._memory for index in range(4)] == [True, True, False, False]


def test_workers_give_the_batches_of_the_process_itself(scene, tmp_path):
    """Use files that the process had open when it was forked."""
    write(tmp_path / "small" / "a.tif", land(0), ("VV", "VH"), **PLACED)
    config = resolve(
        PretrainConfig,
        {
            "crops": {"window": 32, "global_size": 16, "local_size": 16, "local_count": 1},
            "optim": {"batch": 4, "steps": 6},
        },
    )
    batches = StepBatches(ChipStore([scene, tmp_path / "small"], config.model.bands, 0.0), config)
    alone = list(iterate(batches, range(6), 0, False))
    for workers in (1, 2):
        for one, other in zip(alone, iterate(batches, range(6), workers, False)):
            assert_same_plan(one, other)


def test_chips_beyond_the_memory_budget_give_the_same_samples(tmp_path):
    config, data = config_of(), write_folders(tmp_path)
    kept, read = (ChipStore(data, config.model.bands, gb) for gb in (1.0, 0.0))
    assert kept.fingerprint == read.fingerprint and not any((c.folder, c.index) in read._memory for c in read.chips)
    assert all((c.folder, c.index) in kept._memory for c in kept.chips)
    for step in range(3):
        assert_same_plan(StepBatches(kept, config)[step], StepBatches(read, config)[step])


def test_folders_are_drawn_by_the_square_root_of_their_pixels(tmp_path):
    store = ChipStore(write_folders(tmp_path), config_of().model.bands, 1.0)
    rng, crops = np.random.default_rng(0), config_of().crops
    # A window of the single ones lacks VH.
    dual = np.mean([np.isfinite(store.draw(crops, rng).dates[0][1]).any() for _ in range(2000)])
    pixels = np.sqrt([3 * 44 * 48, 3 * 20 * 24])
    assert dual == pytest.approx(pixels[0] / pixels.sum(), abs=0.03)


@pytest.mark.parametrize("strict", [False, True])
def test_images_are_read_when_drawn_or_all_before(tmp_path, monkeypatch, capsys, strict):
    for seed in range(3):
        write(tmp_path / f"{seed}.tif", land(seed), ("VV", "VH"), **PLACED)
    store = ChipStore([tmp_path], BANDS, 1.0, strict=strict)
    read = []
    whole = ChipFolder.read
    monkeypatch.setattr(
        ChipFolder, "read", lambda self, index, *window: read.append(index) or whole(self, index, *window)
    )
    crops = CropConfig(window=16, global_size=16, local_size=16)
    for seed in range(20):
        store.draw(crops, np.random.default_rng(seed))
    assert sorted(read) == [0, 1, 2]  # each once
    again = ChipStore([tmp_path], BANDS, 1.0, strict=strict)
    (tmp_path / "1.tif").write_bytes((tmp_path / "1.tif").read_bytes()[:2000])
    with pytest.raises(UnreadableError) if strict else nullcontext():
        again.fill()
    assert ("1.tif" in capsys.readouterr().err) == (not strict)
    read.clear()
    if not strict:
        for seed in range(20):
            again.draw(crops, np.random.default_rng(seed))
        assert set(read) <= {1}
