"""The comparison with peers: its scene, its judgement of maps, and, where their environment is there, every peer."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import rasterio

from backend.card.registry import model_folder
from backend.stream.tiling import plan_tiles
from benchmarks.checks.seams import ratios
from benchmarks.peers import contest, environment
from benchmarks.peers.maps import agreement, middle_window, reference, seam_ratio
from benchmarks.peers.table import OURS, Contender
from benchmarks.peers.tiles import Tiles, edges, overhanging, pulled_back
from benchmarks.peers.worker import PEERS, peer_module
from benchmarks.speed.scenes import mirrored, side_of, write_scene

UTM = rasterio.transform.from_origin(5e5, 58e5, 10, 10)
SAME = Tiles(tile=128, overlap=16, batch=4)


def write_classes(path: Path, classes: np.ndarray) -> Path:
    height, width = classes.shape
    with rasterio.open(
        path, "w", driver="GTiff", dtype="uint8", count=1, nodata=0, height=height, width=width,
        transform=UTM,
    ) as file:  # fmt: skip
        file.write(classes.astype(np.uint8), 1)
    return path


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("peers") / "scene.tif"
    write_scene(path, 304, 400)
    return path


def test_tiles_that_are_pulled_back_end_with_the_raster():
    assert pulled_back(300, SAME) == [0, 112, 172]
    assert pulled_back(240, SAME) == [0, 112]
    assert pulled_back(100, SAME) == [0]


@pytest.mark.parametrize("size", [100, 128, 129, 240, 241, 1000])
def test_tiles_that_overhang_are_those_of_our_plan(size):
    assert tuple(overhanging(size, SAME)) == plan_tiles(size, size, 128, 16, 8).rows.origins


def test_edges_of_the_raster_are_no_borders():
    assert edges([0, 112], 128, 240) == {112, 128}


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("size", [(304, 400), (1504, 2000)])
def test_borders_lie_inside_and_are_about_as_many_as_tiles(name, size):
    borders = peer_module(name).borders(*size, SAME)
    for found, length in ((borders.rows, size[0]), (borders.columns, size[1])):
        assert min(found) > 0 and max(found) < length
        tiles = len(overhanging(length, SAME))
        assert tiles - 2 <= len(found) <= 2 * tiles + 2


def test_the_scene_has_the_structure_of_the_sample_and_speckle_that_differs_between_repetitions(scene):
    flat = mirrored(2000, 1100, 0, 384)
    assert np.array_equal(flat[:, :, :512], flat[:, :, 1023:511:-1])
    with rasterio.open(scene) as source:
        values = source.read()
        assert source.descriptions == ("VV", "VH")
    assert np.isfinite(values).all()
    difference = values - mirrored(304, 400, 0, 304)
    assert 0.7 < difference.std() < 1.3 and abs(difference.mean()) < 0.3
    assert side_of(100) == 10000


def test_the_seam_ratio_is_that_of_the_benchmark_of_seams(tmp_path):
    random = np.random.default_rng(1)
    classes = random.choice([10, 20, 30], (2100, 300))
    plan = plan_tiles(2100, 300, 128, 16, 8)
    path = write_classes(tmp_path / "map.tif", classes)
    wanted = ratios(path, True, plan)[0]
    found = seam_ratio(path, Contender(OURS, path, SAME).borders(2100, 300))
    assert found == pytest.approx(wanted, rel=1e-6)


def test_steps_to_and_from_nodata_do_not_count(tmp_path):
    classes = np.random.default_rng(1).choice([10, 20], (300, 300))
    path, borders = tmp_path / "map.tif", Contender(OURS, tmp_path, SAME).borders(300, 300)
    wanted = seam_ratio(write_classes(path, classes[:200, :200]), Contender(OURS, path, SAME).borders(200, 200))
    classes[200:] = classes[:, 200:] = 0
    assert seam_ratio(write_classes(path, classes), borders) == pytest.approx(wanted)


def test_a_map_whose_tiles_show_has_a_high_seam_ratio(tmp_path):
    rows, columns = np.indices((500, 500)) // 112
    noise = np.random.default_rng(2).random((500, 500)) < 0.01
    path = write_classes(tmp_path / "map.tif", 10 + 10 * ((rows + columns + noise) % 2))
    assert min(seam_ratio(path, Contender(OURS, path, SAME).borders(500, 500))) > 10


def test_agreement_is_the_share_of_equal_pixels_also_in_a_window(tmp_path):
    first = np.full((40, 40), 10)
    second = first.copy()
    second[:10] = 20
    whole = [write_classes(tmp_path / f"{n}.tif", each) for n, each in enumerate((first, second))]
    assert agreement(*whole) == 0.75
    window = middle_window(40, 40, 16 * 16 / 1e6, 8)
    part = write_classes(tmp_path / "part.tif", second[8:24, 8:24])
    assert (window.row_off, window.height) == (8, 16)
    assert agreement(whole[0], part, window) == 1 - 2 / 16
    assert agreement(whole[1], part, window) == 1


def test_a_reference_is_a_map_much_like_ours(scene, tmp_path):
    ours, truth = tmp_path / "ours.tif", tmp_path / "reference.tif"
    outcome = contest.run_ours(scene, ours, model_folder(None), 1)
    assert outcome.failed is None and outcome.tiles == 12
    assert 0 < outcome.seconds < outcome.whole_s and outcome.peak_mib > 100
    window = middle_window(304, 400, 0.02, 8)
    reference(scene, model_folder(None), window, truth)
    assert 0.85 < agreement(ours, truth, window) <= 1


def test_a_contender_that_fails_is_told_with_its_last_words(tmp_path):
    outcome = contest.run_ours(tmp_path / "missing.tif", tmp_path / "map.tif", model_folder(None), 1)
    assert "missing.tif" in outcome.failed
    assert outcome.seconds != outcome.seconds


def test_peers_libraries_are_imported_only_when_they_run():
    for name in PEERS.values():
        importlib.import_module(f"benchmarks.peers.{name}")


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "network.onnx"
    assert contest.export(model_folder(None), path, 128, 1) < 1e-4
    return path


needs_peers = pytest.mark.skipif(
    not environment.python().exists(), reason="no peers' environment (python -m benchmarks.peers --setup)"
)


@needs_peers
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_maps_the_scene_much_as_we_do(name, scene, onnx, tmp_path):
    ours, theirs, model = tmp_path / "ours.tif", tmp_path / "theirs.tif", model_folder(None)
    assert contest.run_ours(scene, ours, model, 1).failed is None
    outcome = contest.run_peer(name, scene, theirs, model, onnx, SAME, 1, 18)
    assert outcome.failed is None
    assert outcome.tiles == 12
    assert agreement(theirs, ours) > 0.85


@needs_peers
def test_a_peer_that_wants_too_much_memory_is_reported(tmp_path, onnx):
    scene = tmp_path / "scene.tif"
    profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": 16000, "width": 16000, "nodata": np.nan}
    with rasterio.open(scene, "w", **profile, tiled=True, sparse_ok=True, crs="EPSG:32632", transform=UTM):
        pass
    outcome = contest.run_peer("monai", scene, tmp_path / "map.tif", model_folder(None), onnx, SAME, 1, 4)
    assert outcome.failed == "out of memory"
