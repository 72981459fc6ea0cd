"""Blending and choosing on a device give the processor's map. Run on the processor here, as tensors are alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.card.model_card import LandCoverClass
from backend.engines.device import choice
from backend.engines.device.blend import DeviceBlender, deciding
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.stream.blend import RowBlender
from backend.stream.decision import decision
from backend.stream.tiling import plan_tiles
from tests.support.backend.reading import read

CPU = torch.device("cpu")


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([0, 8, 16]), st.integers(0, 9))
def test_rows_are_those_of_the_processor(height, width, overlap, seed):
    plan = plan_tiles(height, width, 32, overlap, 8)
    rng = np.random.default_rng(seed)
    here, there = RowBlender(plan, 3), DeviceBlender(plan, 3, CPU, torch.clone)
    for row in range(len(plan.rows.origins)):
        for column in range(len(plan.columns.origins)):
            if rng.random() < 0.8:  # tiles without valid pixels are left out
                tile = rng.random((3, 32, 32), dtype=np.float32)
                there.add(row, column, torch.from_numpy(tile))
                here.add(row, column, tile.copy())
        np.testing.assert_allclose(there.finish(row), here.finish(row), atol=1e-6)


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=1, max_size=7), st.integers(0, 9))
def test_the_choice_is_that_of_the_processor(groups, seed):
    classes = [LandCoverClass(value, f"class {value}", "#000000", group) for value, group in enumerate(groups, 1)]
    # Few different values, so that there are many equals, of which the first one counts.
    values = np.random.default_rng(seed).integers(0, 4, (len(groups), 40, 50)).astype(np.float32) / 8
    best = decision(classes)(values)
    only = deciding(classes, False)(torch.from_numpy(values))
    assert only.dtype == torch.uint8 and only.shape == (1, 40, 50)
    np.testing.assert_array_equal(only[0].numpy(), best + 1)  # classes are numbered from 1 here
    both = deciding(classes, True)(torch.from_numpy(values)).numpy()
    np.testing.assert_array_equal(both[0], best + 1)
    np.testing.assert_array_equal(both[1], np.take_along_axis(values, best[None].astype(np.int64), axis=0)[0])


@pytest.mark.parametrize("batch", [1, 5])
def test_maps_made_either_way_agree(tiny_model, make_raster, scene_db, tmp_path, monkeypatch, batch):
    values = scene_db(150, 203)
    values[:, :60, :70] = np.nan
    scene, maps = make_raster(values), {}
    for way in (False, True):
        monkeypatch.setattr(choice, "CARDS", {"cpu"} if way else set())
        paths = [tmp_path / f"{name}{way}.tif" for name in ("map", "confidence")]
        request = Request(str(scene), paths[0], tiny_model, device="cpu", engine="pytorch", batch_size=batch)
        facts = landcover(request, confidence=paths[1])
        maps[way] = (read(paths[0]), read(paths[1]), [item["pixels"] for item in facts["classes"]])
        bare = tmp_path / f"bare{way}.tif"
        landcover(replace(request, output=bare))
        np.testing.assert_array_equal(read(bare), maps[way][0])
    assert (maps[True][0] == maps[False][0]).mean() > 0.999  # where two are nearly equal, a rounding decides
    np.testing.assert_array_equal(maps[True][0] == 0, maps[False][0] == 0)
    np.testing.assert_allclose(maps[True][1], maps[False][1], atol=1e-5)


def test_only_a_card_decides_there():
    assert choice.decides_on_device("cuda") and not choice.decides_on_device("cpu")
    assert not choice.decides_on_device("mps")
