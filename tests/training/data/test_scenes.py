"""Folders as data sets come: a file for each polarisation, dates in folders, angles and heights beside."""

import time
from pathlib import Path

import numpy as np
import pytest

from backend.core.errors import InputError
from tests.support.geotiffs import BANDS, PLACED, land, toml, write
from training.data.dataset import ChipFolder
from training.data.scenes import find_scenes
from training.draws.summary import describe
from training.evaluate import _request

CALLED = {
    "pairs": ("P_VV", "P_VH", "P"),
    "dates in folders": ("20200101/VV", "20200101/VH", "20200101"),
    "polarisations in folders": ("VV/20200101", "VH/20200101", "20200101"),
    "folders named with them": ("S1_VV/a", "S1_VH/a", "S1/a"),
    "glued": ("S1A_IWGRDVV_20200101", "S1A_IWGRDVH_20200101", "S1A_IWGRD_20200101"),
    "lower case": ("p-vv-1", "p-vh-1", "p_1"),
    "nothing but it": ("VV", "VH", "VV"),
}


def split(root, vv, vh, seed=0, **profile):
    """One image as two files of one band without a description."""
    values = land(seed)
    for name, plane in ((vv, values[0]), (vh, values[1])):
        write(root / f"{name}.tif", plane, **{**PLACED, **profile})
    return values


@pytest.mark.parametrize("how", CALLED)
def test_files_of_one_scene_are_paired_by_name(tmp_path, how, capsys):
    vv, vh, name = CALLED[how]
    values = split(tmp_path, vv, vh)
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.names == [name]
    np.testing.assert_array_equal(folder[0].db, values)
    assert "1 file, VV VH, dB" in describe(folder) and "left out" not in capsys.readouterr().err


def test_order_of_the_card_counts_not_that_of_names(tmp_path):
    values = split(tmp_path, "P_VV", "P_VH")
    np.testing.assert_array_equal(ChipFolder(tmp_path, BANDS[::-1])[0].db, values[::-1])
    assert ChipFolder(tmp_path, BANDS[1:]).names == ["P_VH"]


def test_dates_are_not_mixed(tmp_path):
    first, second = split(tmp_path, "a_20200101_VV", "a_20200101_VH"), split(tmp_path, "a_20200113_VV", "x_VH", 1)
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.names == ["a_20200101", "a_20200113_VV", "x_VH"]
    np.testing.assert_array_equal(folder[0].db, first)
    np.testing.assert_array_equal(folder[1].db[0], second[0])
    assert np.isnan(folder[1].db[1]).all() and np.isnan(folder[2].db[0]).all()


def test_what_lies_beside_is_left_out_and_counted(tmp_path, capsys):
    name = "S1A_IW_20200113T165043_DVP_RTC10_G_gpufed_2B5E"
    values = split(tmp_path, f"{name}_VV", f"{name}_VH")
    for part in ("inc_map", "dem", "ls_map", "rgb", "area"):
        write(tmp_path / f"{name}_{part}.tif", np.ones((48, 48), np.float32), **PLACED)
    write(tmp_path / f"{name}.png", np.ones((48, 48), np.uint8))
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.names == [name]
    np.testing.assert_array_equal(folder[0].db, values)
    assert "6 files hold none of the model's bands and are left out" in capsys.readouterr().err


def test_coherence_and_angles_beside_are_not_taken(tmp_path, capsys):
    split(tmp_path, "d/VV", "d/VH")
    for part in ("coh_VV", "angle", "VV_std"):
        write(tmp_path / "d" / f"{part}.tif", np.full((48, 48), 0.5, np.float32), **PLACED)
    split(tmp_path, "d/HH", "d/HV", 1)
    assert ChipFolder(tmp_path, BANDS).names == ["d"]
    assert "5 files hold none" in capsys.readouterr().err


def test_files_of_both_bands_stay_images_of_their_own(tmp_path):
    split(tmp_path, "s_VV", "s_VH")
    write(tmp_path / "s_2.tif", land(1), ("VV", "VH"), **PLACED)
    write(tmp_path / "other.tif", land(2)[::-1], ("VH", "VV"), **PLACED)
    assert ChipFolder(tmp_path, BANDS).names == ["other", "s", "s_2"]


def test_labels_and_splits_know_a_scene_by_either_name(tmp_path):
    for name in ("a", "b", "c"):
        split(tmp_path / "images", f"{name}_VV", f"{name}_VH")
    for label in ("a", "b_VV"):
        write(tmp_path / "labels" / f"{label}.tif", np.full((48, 48), 10, np.uint8), **PLACED)
    rows = ("a,1,train", "b_VH,2,train", "c,3,val")
    (tmp_path / "splits.csv").write_text("name,group,split\n" + "\n".join(rows) + "\n")
    folder = ChipFolder(tmp_path, BANDS, "train")
    assert folder.names == ["a", "b"]
    assert all((chip.label == 10).all() for chip in folder)


def test_a_change_of_either_file_is_noticed(tmp_path):
    split(tmp_path, "P_VV", "P_VH")
    assert ChipFolder(tmp_path, BANDS).entries[0].levels[1][0] < -15
    write(tmp_path / "P_VH.tif", land(5)[1] + 3, dtype="float64", **PLACED)
    assert ChipFolder(tmp_path, BANDS).entries[0].levels[1][0] > -15.5


def test_files_that_do_not_fit_each_other_are_refused(tmp_path):
    split(tmp_path, "P_VV", "P_VH")
    write(tmp_path / "P_VH.tif", land(0, 20)[1], **PLACED)
    with pytest.raises(InputError, match="is not on the grid of"):
        ChipFolder(tmp_path, BANDS)


def test_advice_never_leads_to_vh_as_vv(tmp_path):
    split(tmp_path, "one", "two")
    with pytest.raises(InputError, match="none of which is one of VV, VH") as refusal:
        ChipFolder(tmp_path, BANDS)
    assert "Only if all files of the folder have the same bands" in refusal.value.hint
    wrong = tmp_path / "wrong"
    split(wrong, "P_VV", "P_VH")
    toml(wrong, '[[bands]]\nname = "VV"\n')
    with pytest.raises(InputError, match="P_VH.tif is VV; its name says VH"):
        ChipFolder(wrong, BANDS)


def test_bands_named_in_dataset_toml_count(tmp_path):
    values = split(tmp_path, "P_VV", "P_VH")
    toml(tmp_path, '[[bands]]\nname = "VH"\nunit = "db"\n[[bands]]\nname = "VV"\nunit = "db"\n')
    np.testing.assert_array_equal(ChipFolder(tmp_path, BANDS)[0].db, values)


@pytest.mark.parametrize("names", [("HH", "HV"), ("coh_VV", "coh_VH"), ("VV_20200101", "VH_20200113")])
def test_bands_that_are_something_else_are_refused(tmp_path, names):
    write(tmp_path / "a.tif", land(), names, **PLACED)
    with pytest.raises(InputError) as refusal:
        ChipFolder(tmp_path, BANDS)
    assert "a.tif" in refusal.value.message and names[0] in refusal.value.message or "dates" in refusal.value.message


def test_a_model_is_scored_on_all_files_of_a_scene(tmp_path):
    split(tmp_path, "P_VV", "P_VH")
    request = _request(ChipFolder(tmp_path, BANDS)[0], tmp_path / "o.tif", tmp_path, None)
    assert [request.input, *request.further] == [str(tmp_path / "P_VV.tif"), str(tmp_path / "P_VH.tif")]


def test_the_work_grows_with_the_number_of_files_alone() -> None:
    def seconds(count: int) -> float:
        listed = {f"{i}_{p}": Path(f"{i}_{p}.tif") for i in range(count) for p in ("VV", "VH")}
        began = time.process_time()
        assert len(find_scenes(listed, BANDS)[0]) == count
        return time.process_time() - began

    seconds(100)
    assert seconds(8000) < 40 * max(seconds(1000), 0.005)
