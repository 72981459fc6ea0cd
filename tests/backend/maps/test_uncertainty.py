"""Margin, entropy, and disagreement of tiles: known answers, in the outputs, and the same for an extent."""

import numpy as np
import pytest
import rasterio

from backend.__main__ import main
from backend.card.model_card import LandCoverClass
from backend.core.cancel import Cancel
from backend.maps.uncertainty import MEASURES, entropy, margin
from backend.stream.disagreement import LEAST, SquaringBlender, disagreeing
from backend.stream.surroundings import REACH, share_of_class
from backend.stream.tiles import TileJob, run_stream
from backend.stream.tiling import plan_tiles
from tests.support.class_maps import CLASSES


def pixel(*values):
    return np.array(values, dtype=np.float32)[:, None, None]


def test_margin_is_the_lead_over_the_next_class():
    assert margin(pixel(0.2, 0.7, 0.1), CLASSES)[0, 0] == pytest.approx(0.5)
    assert margin(pixel(0.5, 0.5, 0), CLASSES)[0, 0] == 0
    assert margin(pixel(1), CLASSES[:1])[0, 0] == 1


def test_entropy_is_0_if_certain_and_1_if_all_are_equal():
    assert entropy(pixel(1, 0, 0), CLASSES)[0, 0] == 0
    assert entropy(pixel(1 / 3, 1 / 3, 1 / 3), CLASSES)[0, 0] == pytest.approx(1, abs=1e-6)
    assert entropy(pixel(0.5, 0.5, 0), CLASSES)[0, 0] == pytest.approx(np.log(2) / np.log(3))
    assert entropy(pixel(1), CLASSES[:1])[0, 0] == 0


def test_groups_are_compared_where_they_are_decided_first():
    grouped = [CLASSES[0], *(LandCoverClass(v, "x", "#000000", "fields") for v in (30, 40))]
    assert margin(pixel(0.4, 0.3, 0.3), grouped)[0, 0] == pytest.approx(0.2)
    assert entropy(pixel(0.5, 0.25, 0.25), grouped)[0, 0] == pytest.approx(1)


class Frame:
    """Input that tells where a tile lies, all valid."""

    height, width = 150, 120

    def read(self, top, bottom):
        rows = np.broadcast_to(np.arange(top, bottom, dtype=np.float32)[:, None], (bottom - top, self.width))
        columns = np.broadcast_to(np.arange(self.width, dtype=np.float32), rows.shape)
        return np.stack((rows, columns)), np.ones(rows.shape, np.bool_)


def test_disagreement_is_that_of_the_pairs_of_tiles():
    """Against the definition, with all tiles kept."""
    plan, rng = plan_tiles(150, 120, 64, 24, 8), np.random.default_rng(0)
    answers = {place: rng.dirichlet(np.ones(3), (64, 64)).transpose(2, 0, 1).astype(np.float32) for place in plan}
    origins = {(top, left): (i, j) for i, top in enumerate(plan.rows.origins) for j, left in
               enumerate(plan.columns.origins)}  # fmt: skip

    def model(tiles):
        return np.stack([answers[origins[int(tile[0, 0, 0]), int(tile[1, 0, 0])]].copy() for tile in tiles])

    found = []
    job = TileJob(plan, 4, 3, blender=lambda p, c: SquaringBlender(p, c, 3))
    run_stream(Frame(), job, model, disagreeing(plan, 3, 4, lambda rows, _: found.append(rows.copy())), Cancel())
    found = np.concatenate(found, axis=1)
    top, left = plan.rows.padded, plan.columns.padded
    weights = {(i, j): plan.rows.weights[i][:, None] * plan.columns.weights[j] for i, j in plan}
    total, pairs = np.zeros((top, left)), np.zeros((top, left))
    planes = {}
    for (i, j), answer in answers.items():
        plane, weight = np.zeros((3, top, left)), np.zeros((top, left))
        rows = slice(plan.rows.origins[i], plan.rows.origins[i] + 64)
        columns = slice(plan.columns.origins[j], plan.columns.origins[j] + 64)
        plane[:, rows, columns], weight[rows, columns] = answer, weights[i, j]
        planes[i, j] = plane, weight
    keys = list(planes)
    for number, one in enumerate(keys):
        for other in keys[number + 1 :]:
            both = planes[one][1] * planes[other][1]
            total += both * ((planes[one][0] - planes[other][0]) ** 2).sum(axis=0) / 2
            pairs += both
    wanted = np.where(2 * pairs >= LEAST, np.sqrt(total / np.maximum(pairs, 1e-9)), np.nan)[:150, :120]
    np.testing.assert_array_equal(np.isnan(found[3]), np.isnan(wanted))
    np.testing.assert_allclose(found[3], wanted, atol=2e-3, equal_nan=True)
    assert 0.2 < np.isnan(wanted).mean() < 0.9


@pytest.fixture
def mapped(tiny_model, tmp_path):
    """Run the command with all measures; returns the rasters by role."""

    def call(scene, *more):
        paths = {role: tmp_path / f"{role}.tif" for role in ("probabilities", *MEASURES)}
        options = [word for role, path in paths.items() for word in (f"--{role}", str(path))]
        call = ["landcover", str(scene), str(tmp_path / "map.tif"), "--model", str(tiny_model), "--overwrite"]
        assert main([*call, *options, *more, "--progress", "none", "--device", "cpu"]) == 0
        result = {}
        for role, path in {**paths, "output": tmp_path / "map.tif"}.items():
            with rasterio.open(path) as file:
                result[role] = file.read()
        return result

    return call


def test_measures_are_those_of_the_written_probabilities(mapped, make_raster, scene_db, tiny_model, tmp_path):
    values = scene_db(150, 203)
    values[:, :60, :70] = np.nan
    scene = make_raster(values)
    found = mapped(scene)
    valid = found["output"][0] > 0
    order = np.sort(found["probabilities"][:, valid], axis=0)
    np.testing.assert_allclose(found["margin"][0][valid], order[-1] - order[-2], atol=1e-6)
    np.testing.assert_allclose(
        found["entropy"][0][valid], -(order * np.log(np.maximum(order, 1e-30))).sum(axis=0) / np.log(3), atol=1e-5
    )
    known = np.isfinite(found["disagreement"][0])
    assert not known[~valid].any() and 0.05 < known[valid].mean() < 0.9
    assert 0 <= found["disagreement"][0][known].min() < found["disagreement"][0][known].max() <= 1
    for role in ("margin", "entropy", "surroundings"):
        np.testing.assert_array_equal(np.isfinite(found[role][0]), valid)
    wanted = share_of_class(found["output"][0], (REACH, REACH))
    np.testing.assert_array_equal(found["surroundings"][0][valid], wanted[valid])
    plain = tmp_path / "plain.tif"
    assert main(["landcover", str(scene), str(plain), "--model", str(tiny_model), "--device", "cpu"]) == 0
    with rasterio.open(plain) as file:
        np.testing.assert_array_equal(file.read(), found["output"])


def test_measures_of_an_extent_are_those_of_the_whole(mapped, make_raster, scene_db):
    scene = make_raster(scene_db(150, 203))
    whole = mapped(scene)
    part = mapped(scene, "--extent", "500500", "4599000", "501500", "4599700")
    # The surroundings end at the edge of what is mapped.
    wanted = {**whole, "surroundings": share_of_class(part["output"][0], (REACH, REACH))[None]}
    for role, values in part.items():
        expected = wanted[role][0] if role == "surroundings" else whole[role][0, 30:100, 50:150]
        np.testing.assert_array_equal(values[0], expected, err_msg=role)


def test_measures_of_other_pixel_sizes_are_resampled(mapped, make_raster, scene_db):
    values = scene_db(101, 67)
    values[:, :30, :20] = np.nan
    transform = rasterio.transform.from_origin(5e5, 4e6, 20, 20)
    found = mapped(make_raster(values, transform=transform))
    valid = found["output"][0] > 0
    np.testing.assert_array_equal(np.isfinite(found["margin"][0]), valid)
    wanted = share_of_class(found["output"][0], (8, 8))  # 150 m, to whole pixels of 20 m
    np.testing.assert_array_equal(found["surroundings"][0][valid], wanted[valid])
    known = np.isfinite(found["disagreement"][0])
    assert known.any() and not known.all() and (found["disagreement"][0][known] <= 1).all()


def test_a_raster_in_one_tile_is_told(mapped, make_raster, scene_db, tiny_model, tmp_path, capsys):
    scene = make_raster(scene_db(50, 50))
    found = mapped(scene)
    assert np.isnan(found["disagreement"]).all() and np.isfinite(found["margin"]).all()
    call = ["landcover", str(scene), str(tmp_path / "n.tif"), "--model", str(tiny_model), "--device", "cpu"]
    assert main([*call, "--disagreement", str(tmp_path / "d.tif"), "--progress", "json"]) == 0
    assert "lies in one tile" in capsys.readouterr().out


def test_surroundings_need_no_probabilities(make_raster, scene_db, tiny_model, tmp_path, mapped):
    scene = make_raster(scene_db(150, 203))
    alone = tmp_path / "alone.tif"
    call = ["landcover", str(scene), str(tmp_path / "n.tif"), "--model", str(tiny_model), "--device", "cpu"]
    assert main([*call, "--surroundings", str(alone), "--progress", "none"]) == 0
    with rasterio.open(alone) as file:
        np.testing.assert_array_equal(file.read(), mapped(scene)["surroundings"])
