"""Input that is made on a device equals the processor's. Run on the processor here, as tensors are alike."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest
import rasterio
import torch

from backend.core.cancel import Cancel
from backend.core.errors import Cancelled, ResourceError, UnreadableError
from backend.engines.device.fill import fill_invalid as fill_there
from backend.engines.device.rows import DeviceCutter, torch_operations
from backend.engines.device.transfer import KINDS
from backend.radiometry.rules import NUMPY
from backend.radiometry.units import Units
from backend.raster.source import RasterSource
from backend.stream import stored_rows as module
from backend.stream.cutting import HostCutter
from backend.stream.fill import fill_invalid
from backend.stream.frames import FilledFrame, NativeFrame
from backend.stream.pipeline import Flow
from backend.stream.stored_rows import stored_rows
from backend.stream.tiling import plan_tiles
from tests.backend.conftest import tiny_card

CPU = torch.device("cpu")
BANDS = tiny_card().bands


def holes(values, value):
    values[:, :30, :25] = value
    values[1, 50:57, 90:] = value
    values[:, 80:, 100:101] = value
    return values


def linear(db):
    return (10 ** (db / 10)).astype(np.float32)


def hundredths(db, kind="int16", add=0):
    return np.round(db * 100 + add).astype(kind)


# From dB to what is stored, the unit, and the profile.
STORED = {
    "dB": (lambda db: holes(db, np.nan), Units.DB, {}),
    "dB of 0": (lambda db: holes(db, 0), Units.DB, {}),
    "dB, nodata": (lambda db: holes(db, -9999.9), Units.DB, {"nodata": -9999.9}),
    "power": (lambda db: holes(linear(db), 0), Units.LINEAR_POWER, {}),
    "power, float64": (lambda db: holes(linear(db).astype("float64"), np.inf), Units.LINEAR_POWER, {}),
    "amplitude, negative": (lambda db: holes(np.sqrt(linear(db)), -1), Units.AMPLITUDE, {}),
    "int16": (lambda db: holes(hundredths(db), -32768), Units.DB, {"nodata": -32768}),
    "uint16": (lambda db: holes(hundredths(db, "uint16", 6000), 65535), Units.DB, {"nodata": 65535}),
    "int32, nodata it can't hold": (lambda db: hundredths(db, "int32"), Units.DB, {"nodata": None}),
    "uint8": (lambda db: holes(hundredths(db / 30, "uint8", 150), 0), Units.DB, {"nodata": 0}),
}
SCALES = {"int16": (0.01, 0), "uint16": (0.01, -60), "uint8": (0.3, -45), "int32": (0.01, 0)}


@pytest.fixture
def opened(make_raster, scene_db):
    """Return the frame of a raster of one of STORED, and its source."""
    sources = []

    def open_one(name, size=(150, 203), **profile):
        store, units, told = STORED[name]
        values = store(scene_db(*size))
        path = make_raster(values, **{k: v for k, v in told.items() if v is not None}, **profile)
        if values.dtype.name in SCALES:
            with rasterio.open(path, "r+") as file:
                file.scales, file.offsets = ([each] * 2 for each in SCALES[values.dtype.name])
        sources.append(RasterSource(path, names=["VV", "VH"]))
        return NativeFrame(sources[-1], BANDS, units), sources[-1]

    yield open_one
    for source in sources:
        source.close()


@pytest.mark.parametrize("name", STORED)
def test_stored_values_become_the_same_input(opened, name):
    frame, source = opened(name)
    reader, storage = source.stored()
    values = np.empty((2, 150, 203), storage.kinds[0])
    reader.read((0, 0), values)
    conversion = stored_rows(frame, KINDS).conversion
    x, valid = frame.read(0, 150)
    with np.errstate(all="ignore"):
        here, known = conversion.apply(values, None, NUMPY)
    np.testing.assert_array_equal(known, valid)
    np.testing.assert_array_equal(here, x)
    kinds = {"uint16": np.int32}
    tensors = tuple(torch.from_numpy(values.astype(kinds.get(values.dtype.name, values.dtype))))
    there, known = conversion.apply(tensors, None, torch_operations(CPU))
    np.testing.assert_array_equal(known.numpy(), valid)
    np.testing.assert_allclose(there.numpy(), x, atol=2e-6)


@pytest.mark.parametrize("side", [8, 33])
def test_holes_are_filled_from_the_same_pixels(side):
    rng = np.random.default_rng(0)
    valid = np.stack([rng.random((side, side)) < share for share in (0, 0.02, 0.1, 0.5, 0.97) * 4])
    valid[:, side // 2, 1] = True
    valid[:3, :3, :] = True  # whole columns without one
    x = rng.random((len(valid), 2, side, side), dtype=np.float32)
    there = fill_there(torch.from_numpy(x), torch.from_numpy(valid)).numpy()
    np.testing.assert_array_equal(there, [fill_invalid(tile, known) for tile, known in zip(x, valid)])


@pytest.mark.parametrize(
    ("name", "size", "profile"),
    [
        ("dB", (150, 203), {"tiled": True, "blockxsize": 32, "blockysize": 32}),
        ("int16", (150, 203), {"tiled": True, "blockxsize": 64, "blockysize": 64, "interleave": "pixel"}),
        ("uint16", (300, 140), {"blockysize": 7}),
        ("power", (90, 120), {"blockysize": 90}),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_equal_those_of_the_processor(opened, monkeypatch, name, size, profile, threads):
    monkeypatch.setattr(module, "reading_threads", lambda: threads)
    monkeypatch.setattr("backend.stream.ahead.SLAB_ROWS", 64)
    frame, source = opened(name, size, **profile)
    source.cover(9, 5, size[0] - 20, size[1] - 30)
    frame = NativeFrame(source, BANDS, frame.units)
    plan = plan_tiles(frame.height, frame.width, 64, 16, 8)
    with stored_rows(frame, KINDS).readers() as readers:
        assert len(readers) == threads
        same_tiles(frame, plan, readers)


@pytest.mark.parametrize("seed", range(12))
def test_any_size_part_and_layout_of_tiles(opened, monkeypatch, seed):
    rng = np.random.default_rng(seed)
    height, width, top, left = (int(value) for value in rng.integers((1, 1, 0, 0), (200, 200, 60, 60)))
    monkeypatch.setattr(module, "reading_threads", lambda: int(rng.integers(1, 6)))
    monkeypatch.setattr("backend.stream.ahead.SLAB_ROWS", int(rng.choice([16, 64])))
    blocks = {"tiled": True, "blockxsize": 32, "blockysize": 16} if seed % 2 else {"blockysize": 1 + seed * 3}
    frame, source = opened(("dB", "int16", "power")[seed % 3], (height + top, width + left), **blocks)
    source.cover(top, left, height, width)
    frame = NativeFrame(source, BANDS, frame.units)
    plan = plan_tiles(height, width, int(rng.choice([16, 32, 64])), int(rng.choice([0, 8])), 8)
    with stored_rows(frame, KINDS).readers() as readers:
        same_tiles(frame, plan, readers, any_valid=False)


def test_a_last_row_of_one_pixel_is_reflected(opened):
    # As many rows as a tile has, from the last one up.
    frame, _ = opened("dB", (65, 129))
    with stored_rows(frame, KINDS).readers() as readers:
        same_tiles(frame, plan_tiles(65, 129, 64, 0, 8), readers)


def test_tiny_rasters_masks_and_missing_bands(opened, make_raster, scene_db):
    frame, source = opened("dB, nodata", (40, 31))
    with rasterio.open(source.path, "r+") as file:
        file.write_mask(np.arange(31) % 7 > np.zeros((40, 1)))
    with RasterSource(source.path, names=["VV", "VH"]) as masked:
        frame = NativeFrame(masked, BANDS, Units.DB)
        with stored_rows(frame, KINDS).readers() as readers:
            same_tiles(frame, plan_tiles(40, 31, 64, 16, 8), readers)
    alone = make_raster(holes(np.tile(scene_db(80, 130)[1:], (2, 1, 1)), np.nan)[:1], "vh.tif", ("VH",))
    with RasterSource(alone, names=["VV", "VH"], allows_missing=True) as one:
        frame = FilledFrame(NativeFrame(one, BANDS[1:], Units.DB), one.present, 2)
        with stored_rows(frame, KINDS).readers() as readers:
            same_tiles(frame, plan_tiles(80, 130, 64, 16, 8), readers)


def test_what_a_card_does_not_convert_is_told(opened, make_raster, scene_db):
    frame, _ = opened("power, float64")
    assert stored_rows(frame, ["float32"]) == "values are stored as float64"

    class Other:
        height = width = 1

    assert "several dates" in stored_rows(Other(), KINDS)


def same_tiles(frame, plan, readers, any_valid=True):
    """Check all tiles of a frame, and the validity of its rows."""
    flow, found = Flow(Cancel()), {}

    def run():
        made = partial(DeviceCutter, readers=readers, conversion=stored_rows(frame, KINDS).conversion, device=CPU)
        there, here = made(frame, plan, flow), HostCutter(frame, plan, flow)
        for row in range(len(plan.rows.origins)):
            a, b = there.read(row), here.read(row)
            np.testing.assert_array_equal(a.valid, b.valid)
            for column in range(len(plan.columns.origins)):
                ours, theirs = a.tile(column), b.tile(column)
                assert (ours is None) == (theirs is None)
                if ours is not None:
                    np.testing.assert_allclose(there.stack([ours])[0].numpy(), theirs, atol=2e-6)
                    found[row, column] = True

    flow.run(run)
    assert found or not any_valid


def test_failures_end_the_threads(opened):
    frame, source = opened("dB", (150, 203), tiled=True, blockxsize=64, blockysize=64, compress="deflate")
    plan, before = plan_tiles(150, 203, 64, 16, 8), threading.active_count()
    rows, flow = stored_rows(frame, KINDS), Flow(Cancel())
    with rows.readers() as readers:
        with open(source.path, "r+b") as file:
            file.truncate(60_000)
        cutter = DeviceCutter(frame, plan, flow, readers=readers, conversion=rows.conversion, device=CPU)
        with pytest.raises(UnreadableError, match="truncated or damaged"):
            flow.run(lambda: [cutter.read(row) for row in range(len(plan.rows.origins))])
    assert threading.active_count() == before


def test_a_cancel_ends_the_threads(opened, monkeypatch):
    monkeypatch.setattr("backend.stream.ahead.SLAB_ROWS", 16)
    frame, _ = opened("dB")
    before, cancel = threading.active_count(), Cancel()
    rows, flow = stored_rows(frame, KINDS), Flow(cancel)
    with rows.readers() as readers:
        plan = plan_tiles(150, 203, 64, 16, 8)
        cutter = DeviceCutter(frame, plan, flow, readers=readers, conversion=rows.conversion, device=CPU)

        def stop():
            cutter.read(0)
            cancel.set()
            cutter.read(1)
            cutter.read(2)

        with pytest.raises(Cancelled):
            flow.run(stop)
    assert threading.active_count() == before


def test_a_card_without_memory_for_a_row_refuses(opened, monkeypatch):
    frame, _ = opened("dB")
    rows, flow = stored_rows(frame, KINDS), Flow(Cancel())
    with rows.readers() as readers:
        plan = plan_tiles(150, 203, 64, 16, 8)
        cutter = DeviceCutter(frame, plan, flow, readers=readers, conversion=rows.conversion, device=CPU)

        def full(*_):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

        monkeypatch.setattr(torch, "cat", full)
        with pytest.raises(ResourceError, match="can't hold a row of tiles"):
            flow.run(lambda: cutter.read(0))
