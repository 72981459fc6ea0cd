"""The whole file path with the model replaced by x + 1."""

import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rasterio.transform import from_origin

from backend.card.model_card import Band
from backend.core.cancel import Cancel
from backend.core.errors import Cancelled
from backend.output.sink import Layer, RasterSink
from backend.radiometry.units import Units
from backend.raster.source import RasterSource, gdal_environment
from backend.stream.blend import RowBlender
from backend.stream.frames import NativeFrame
from backend.stream.tiles import TileJob, run_stream
from backend.stream.tiling import plan_tiles, reflect

PLAIN = (Band("A", "db", (-1e9, 1e9), 0.0, 1.0),)


def write_raster(path, values):
    height, width = values.shape
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": height, "width": width}
    with rasterio.open(path, "w", crs="EPSG:32630", transform=from_origin(5e5, 4e6, 10, 10), **profile) as file:
        file.write(values, 1)


def map_file(scene, output, plan_of, model, batch, cancel=None):
    with gdal_environment(), RasterSource(scene) as source:
        frame = NativeFrame(source, PLAIN, Units.DB)
        plan = plan_of(frame.height, frame.width)
        sink = RasterSink(Path(output), source.grid, Layer("float32", np.nan, ["x"]))
        try:
            count = run_stream(
                frame,
                TileJob(plan, 1, batch),
                model,
                lambda rows, valid: sink.write(np.where(valid, rows, np.float32(np.nan))),
                cancel or Cancel(),
            )
            sink.finish()
            sink.commit()
        finally:
            sink.discard()
        return count


def whole_frame(values, plan, model):
    """The same sum with everything in memory at once and no stream."""
    rows = np.concatenate([plan.rows.sources(i) for i in range(len(plan.rows.origins))])
    total = np.zeros((plan.rows.padded, plan.columns.padded), dtype=np.float32)
    filled = np.where(np.isfinite(values), values, np.float32(0))
    assert rows.max() < values.shape[0]
    for row, column in plan:
        y, x = plan.rows.sources(row), plan.columns.origins[column] + np.arange(plan.tile)
        x = reflect(np.arange(plan.columns.padded), values.shape[1])[x]
        if np.isfinite(values)[np.ix_(y, x)].any():
            top, left = plan.rows.origins[row], plan.columns.origins[column]
            weight = plan.rows.weights[row][:, None] * plan.columns.weights[column][None, :]
            tile = model(filled[np.ix_(y, x)][None, None])[0, 0]
            total[top : top + plan.tile, left : left + plan.tile] += tile * weight
    return np.where(np.isfinite(values), total[: values.shape[0], : values.shape[1]], np.float32(np.nan))


def plus_one(x):
    return x + np.float32(1)


@settings(max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    tiles=st.tuples(st.integers(1, 8), st.integers(1, 6), st.integers(0, 5)),
    batch=st.integers(1, 9),
    holes=st.booleans(),
    seed=st.integers(0, 99),
)
@example(shape=(1, 1), tiles=(8, 4, 1), batch=1, holes=False, seed=0)
@example(shape=(300, 5), tiles=(8, 2, 0), batch=4, holes=True, seed=1)
@example(shape=(257, 513), tiles=(8, 6, 1), batch=3, holes=True, seed=2)
def test_x_plus_one_comes_back_for_any_tiles(shape, tiles, batch, holes, seed):
    (height, width), (patch, patches, shared) = shape, tiles
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (height, width)).astype(np.float32)
    if holes:
        values[: height * 2 // 3, : width // 2] = np.nan
        values[rng.random(values.shape) < 0.2] = np.nan
        values[-1, -1] = 0.5
    tile, overlap = patch * patches, patch * min(shared, patches - 1)

    def plan_of(h, w):
        return plan_tiles(h, w, tile, overlap, patch)

    with tempfile.TemporaryDirectory() as folder:
        scene, output = Path(folder) / "in.tif", Path(folder) / "out.tif"
        write_raster(scene, values)
        count = map_file(scene, output, plan_of, plus_one, batch)
        with rasterio.open(output) as file:
            found = file.read(1)
        assert sorted(p.name for p in Path(folder).iterdir()) == ["in.tif", "out.tif"]
    assert count == np.isfinite(values).sum()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    assert np.nanmax(np.abs(found - (values + 1)), initial=0) <= 1e-6
    np.testing.assert_array_equal(found, whole_frame(values, plan_of(height, width), plus_one))


def test_bytes_are_the_same_for_any_batch(tmp_path):
    values = np.random.default_rng(5).normal(-12, 5, (300, 211)).astype(np.float32)
    write_raster(tmp_path / "in.tif", values)

    def relative(x):
        return x - x.mean(axis=(2, 3), keepdims=True)

    for batch in (1, 4, 64):
        map_file(
            tmp_path / "in.tif", tmp_path / f"{batch}.tif", lambda h, w: plan_tiles(h, w, 48, 16, 8), relative, batch
        )
    contents = {(tmp_path / f"{batch}.tif").read_bytes() for batch in (1, 4, 64)}
    assert len(contents) == 1


def test_more_tiles_are_sent_while_answers_are_pending(tmp_path):
    values = np.random.default_rng(5).normal(-12, 5, (90, 70)).astype(np.float32)
    write_raster(tmp_path / "in.tif", values)
    calls, second = [], threading.Event()

    def late(x):
        calls.append(len(x))
        if len(calls) == 2:
            second.set()

        def answers():
            assert second.wait(10), "the first answers were waited for"
            yield from plus_one(x)

        return answers()

    map_file(tmp_path / "in.tif", tmp_path / "late.tif", lambda h, w: plan_tiles(h, w, 32, 8, 8), late, 3)
    map_file(tmp_path / "in.tif", tmp_path / "once.tif", lambda h, w: plan_tiles(h, w, 32, 8, 8), plus_one, 3)
    assert (tmp_path / "late.tif").read_bytes() == (tmp_path / "once.tif").read_bytes()


def test_tiles_without_a_valid_pixel_never_reach_the_model(tmp_path):
    values = np.full((128, 128), np.nan, dtype=np.float32)
    values[100, 3] = 1
    write_raster(tmp_path / "in.tif", values)
    seen = []

    def counting(x):
        seen.append(len(x))
        return x

    assert map_file(tmp_path / "in.tif", tmp_path / "o.tif", lambda h, w: plan_tiles(h, w, 32, 0, 8), counting, 1) == 1
    assert sum(seen) == 1


@pytest.mark.parametrize("where", ["model", "late answer", "writer"])
def test_an_error_in_any_stage_ends_the_run_and_is_raised(tmp_path, where):
    write_raster(tmp_path / "in.tif", np.zeros((600, 64), dtype=np.float32))

    def fail(*_):
        raise KeyError("boom")

    with gdal_environment(), RasterSource(tmp_path / "in.tif") as source:
        frame = NativeFrame(source, PLAIN, Units.DB)
        plan = plan_tiles(frame.height, frame.width, 16, 0, 8)
        with pytest.raises(KeyError, match="boom"):
            run_stream(
                frame,
                TileJob(plan, channels=1, batch=1),
                {"model": fail, "late answer": lambda x: map(fail, x)}.get(where, plus_one),
                fail if where == "writer" else lambda rows, valid: None,
                Cancel(),
            )


def test_cancel_ends_the_run_and_leaves_nothing(tmp_path):
    write_raster(tmp_path / "in.tif", np.zeros((600, 64), dtype=np.float32))
    cancel = Cancel()

    def cancelling(x):
        cancel.set()
        return x

    with pytest.raises(Cancelled):
        map_file(
            tmp_path / "in.tif", tmp_path / "o.tif", lambda h, w: plan_tiles(h, w, 16, 0, 8), cancelling, 1, cancel
        )
    assert [p.name for p in tmp_path.iterdir()] == ["in.tif"]


def test_blender_holds_one_tile_of_rows():
    plan = plan_tiles(10_000, 40, 16, 4, 4)
    blender = RowBlender(plan, 2)
    rows = 0
    for row in range(len(plan.rows.origins)):
        for column in range(len(plan.columns.origins)):
            blender.add(row, column, np.ones((2, 16, 16), dtype=np.float32))
        done = blender.finish(row)
        assert (done == 1).all()
        rows += done.shape[1]
    assert rows == 10_000
    held = sum(each.nbytes for each in vars(blender).values() if isinstance(each, np.ndarray))
    assert held < 2 * 2 * 16 * plan.columns.padded * 4
