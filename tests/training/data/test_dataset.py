"""Read data folders: bands by name, units, levels, labels and splits."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from backend.core.errors import InputError
from backend.radiometry.units import Units
from tests.support.geotiffs import BANDS, PLACED, land, toml, write
from training.data.dataset import ChipFolder
from training.data.dataset_toml import FolderFacts
from training.data.splits import read_splits
from training.draws.summary import describe


def db(vv=-10.0, vh=-17.0, shape=(6, 7)):
    return np.stack([np.full(shape, vv), np.full(shape, vh)]).astype(np.float32)


def test_a_plain_folder_is_read_by_band_description(tmp_path):
    write(tmp_path / "b.tif", db()[::-1], ("Sigma0_VH_db", "Sigma0_VV_db"))
    write(tmp_path / "a.tif", db(-9.0)[::-1], ("Sigma0_VH_db", "Sigma0_VV_db"))
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.names == ["a", "b"] and len(folder) == 2
    assert [float(chip.db[0, 0, 0]) for chip in folder] == [-9.0, -10.0]
    assert float(folder[1].db[1, 0, 0]) == -17.0
    assert folder[0].label is None


def test_a_missing_polarisation_is_nan_and_pixels_stay_valid(tmp_path):
    toml(tmp_path, '[[bands]]\nname = "VH"\n')
    write(tmp_path / "images" / "a.tif", db()[1])
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.band_present == (False, True)
    assert np.isnan(folder[0].db[0]).all() and (folder[0].db[1] == -17).all() and folder[0].valid.all()


def test_units_scale_and_nodata(tmp_path):
    toml(tmp_path, 'nodata = [0]\nscale = 0.01\n[[bands]]\nname = "VV"\nunit = "linear_power"\n')
    write(tmp_path / "images" / "a.tif", np.array([[10, 0], [100, 1]], dtype=np.uint16))
    chip = ChipFolder(tmp_path, BANDS)[0]
    assert chip.valid.tolist() == [[True, False], [True, True]]
    np.testing.assert_allclose(chip.db[0][chip.valid], [-10, 0, -20], atol=1e-4)


def test_the_files_own_scale_and_nodata_tags_count(tmp_path):
    write(tmp_path / "a.tif", np.array([[[-1000, -32768]]] * 2, dtype=np.int16), ("VV", "VH"), nodata=-32768)
    with rasterio.open(tmp_path / "a.tif", "r+") as file:
        file.scales = (0.01, 0.01)
    chip = ChipFolder(tmp_path, BANDS)[0]
    assert chip.valid.tolist() == [[True, False]]
    assert float(chip.db[0, 0, 0]) == pytest.approx(-10)


@pytest.mark.parametrize(("relative", "spread"), [("affine", 5.3), ("offset", 40.0)])
def test_a_relative_level_is_set_to_the_cards(tmp_path, relative, spread):
    toml(tmp_path, f'relative = "{relative}"\nlevel_jitter_db = 3.0\n[[bands]]\nname = "VV"\n')
    values = np.random.default_rng(0).normal(120, 40, (1, 50, 50)).astype(np.float32)
    write(tmp_path / "images" / "a.tif", values)
    chip = ChipFolder(tmp_path, BANDS)[0]
    assert float(chip.db[0].mean()) == pytest.approx(-12.6, abs=0.01)
    assert float(chip.db[0].std()) == pytest.approx(spread, rel=0.05)
    assert chip.level_jitter_db == 3.0


def test_digital_numbers_of_unknown_level_are_all_valid(tmp_path):
    """Bright ones lie above 50 dB, which no backscatter does."""
    toml(tmp_path, 'relative = "offset"\n[[bands]]\nname = "VV"\nunit = "amplitude"\n')
    numbers = np.random.default_rng(0).integers(50, 5000, (50, 50)).astype(np.uint16)
    write(tmp_path / "images" / "a.tif", numbers)
    chip = ChipFolder(tmp_path, BANDS)[0]
    assert chip.valid.all()
    wanted = 20 * np.log10(numbers)
    np.testing.assert_allclose(chip.db[0], wanted - wanted.mean() - 12.6, atol=1e-3)


def test_labels_have_the_same_stem_and_ignored_ones_are_zero(tmp_path):
    toml(tmp_path, "ignore_value = 255\n")
    write(tmp_path / "images" / "a.tif", db(shape=(1, 3)), ("VV", "VH"))
    write(tmp_path / "labels" / "a.png", np.array([[10, 255, 80]], dtype=np.uint8))
    assert ChipFolder(tmp_path, BANDS)[0].label.tolist() == [[10, 0, 80]]


def test_values_beyond_a_byte_are_no_label(tmp_path):
    write(tmp_path / "images" / "a.tif", db(shape=(1, 4)), ("VV", "VH"))
    write(tmp_path / "labels" / "a.tif", np.array([[10, 266, -9999, 80]], dtype=np.int16))
    assert ChipFolder(tmp_path, BANDS)[0].label.tolist() == [[10, 0, 0, 80]]


def test_codes_of_labels_stand_for_class_values(tmp_path):
    toml(tmp_path, "label_codes = [[0, 1], [-5, 2], [300, 3]]\n")
    write(tmp_path / "images" / "a.tif", db(shape=(1, 4)), ("VV", "VH"))
    write(tmp_path / "labels" / "a.tif", np.array([[0, -5, 300, 1]], dtype=np.int16))
    assert ChipFolder(tmp_path, BANDS)[0].label.tolist() == [[1, 2, 3, 0]]


def test_labels_of_another_size_are_refused(tmp_path):
    write(tmp_path / "images" / "a.tif", db(), ("VV", "VH"))
    write(tmp_path / "labels" / "a.png", np.zeros((2, 2), dtype=np.uint8))
    with pytest.raises(InputError, match="pixels"):
        ChipFolder(tmp_path, BANDS)[0]


def test_splits_choose_chips(tmp_path):
    for name in "abc":
        write(tmp_path / "images" / f"{name}.tif", db(), ("VV", "VH"))
    (tmp_path / "splits.csv").write_text("name,group,split\na,1,train\nb,1,train\nc,2,val\n")
    assert ChipFolder(tmp_path, BANDS, "train").names == ["a", "b"]
    assert ChipFolder(tmp_path, BANDS, "val").names == ["c"]
    with pytest.raises(InputError, match="test"):
        ChipFolder(tmp_path, BANDS, "test")


def test_a_splits_csv_out_of_excel_is_read(tmp_path):
    (tmp_path / "splits.csv").write_text("name,group,split\na,1,test\n", encoding="utf-8-sig")
    assert read_splits(tmp_path) == [{"name": "a", "group": "1", "split": "test"}]


def test_a_group_that_crosses_splits_is_refused(tmp_path):
    (tmp_path / "splits.csv").write_text("name,group,split\na,1,train\nb,1,val\n")
    with pytest.raises(InputError, match="Group '1'"):
        read_splits(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "surprise = 1",
        'relative = "much"',
        "scale = 'a'",
        '[[bands]]\nname = "VV"\nunit = "x"',
        "= 1",
        '[[bands]]\nname = "VV"\nunit = "db"\n[[bands]]\nname = "VH"\nunit = "amplitude"',
        "places = '('",
        "places = 'site'",
        '[[classes]]\nvalue = 300\nname = "x"\ncolor = "#000000"',
        "weight = -1.0",
        "label_codes = [[1, 0]]",
        "label_codes = [[1, 2, 3]]",
    ],
)
def test_a_wrong_dataset_toml_is_refused(tmp_path, text):
    toml(tmp_path, text)
    with pytest.raises(InputError, match="dataset.toml"):
        FolderFacts.load(tmp_path / "dataset.toml")


def test_bands_that_are_not_the_cards_are_refused(tmp_path):
    write(tmp_path / "a.tif", np.concatenate([db(), db()])[:3], ("red", "green", "blue"))
    with pytest.raises(InputError, match="red"):
        ChipFolder(tmp_path, BANDS)


def test_an_empty_folder_and_a_broken_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="No raster"):
        ChipFolder(tmp_path, BANDS)
    (tmp_path / "a.tif").write_text("not a raster")
    with pytest.raises(InputError, match=r"a\.tif"):
        ChipFolder(tmp_path, BANDS)


def test_sub_folders_are_searched_and_names_say_where(tmp_path):
    for name in ("2020/a", "2021/a", "b", ".hidden/c", "2020/.d"):
        write(tmp_path / f"{name}.tif", db(), ("VV", "VH"))
    write(tmp_path / "labels" / "2020" / "a.png", np.full((6, 7), 10, dtype=np.uint8))
    (tmp_path / "2020" / "up").symlink_to(tmp_path, target_is_directory=True)
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.names == ["2020/a", "2021/a", "b"]
    assert [chip.label is None for chip in folder] == [False, True, True]


def test_two_files_of_one_name_are_refused(tmp_path):
    write(tmp_path / "a.tif", db(), ("VV", "VH"))
    write(tmp_path / "a.tiff", db(), ("VV", "VH"))
    with pytest.raises(InputError, match="one name"):
        ChipFolder(tmp_path, BANDS)


def test_a_folder_may_mix_one_and_two_polarisations_in_any_order(tmp_path):
    write(tmp_path / "a.tif", db()[0], ("VV",))
    write(tmp_path / "b.tif", db()[::-1], ("VH", "VV"))
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.band_present == (True, True)
    assert np.isnan(folder[0].db[1]).all() and (folder[0].db[0] == -10).all()
    assert (folder[1].db[0] == -10).all() and (folder[1].db[1] == -17).all()
    assert "VV VH (in 1)" in describe(folder)


def test_a_later_file_that_does_not_fit_is_named(tmp_path):
    write(tmp_path / "a.tif", db(), ("VV", "VH"))
    write(tmp_path / "b.tif", db()[:1])
    with pytest.raises(InputError, match=r"b\.tif has bands"):
        ChipFolder(tmp_path, BANDS)
    toml(tmp_path, '[[bands]]\nname = "VV"\n[[bands]]\nname = "VH"\n')
    with pytest.raises(InputError, match=r"b\.tif has 1 bands; dataset.toml names 2"):
        ChipFolder(tmp_path, BANDS)


@pytest.mark.parametrize("units", [Units.DB, Units.LINEAR_POWER, Units.AMPLITUDE])
def test_units_are_recognised_and_what_was_found_is_one_line(tmp_path, units):
    convert = {
        Units.DB: lambda x: x,
        Units.LINEAR_POWER: lambda x: 10 ** (x / 10),
        Units.AMPLITUDE: lambda x: 10 ** (x / 20),
    }[units]
    for seed in range(3):
        write(tmp_path / f"{seed}.tif", convert(land(seed)), ("VV", "VH"), **PLACED)
    few = np.full((2, 48, 48), np.nan, dtype=np.float32)
    few[:, 0, 0] = convert(np.array([-10, -17], dtype=np.float32))
    write(tmp_path / "few.tif", few, ("VV", "VH"), **PLACED)  # too few pixels to tell by themselves
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.units is units
    np.testing.assert_allclose(folder[0].db, land(0), atol=1e-3)
    np.testing.assert_allclose(folder[3].db[:, 0, 0], [-10, -17], atol=1e-3)
    said = {Units.DB: "dB", Units.LINEAR_POWER: "linear power", Units.AMPLITUDE: "amplitude"}[units]
    assert describe(folder) == f"{tmp_path}: 4 files, VV VH, {said}, 10 m, 0.00691 Mpx valid"


def test_units_that_contradict_are_refused_with_the_file_named(tmp_path):
    for seed in range(3):
        write(tmp_path / f"{seed}.tif", land(seed), ("VV", "VH"))
    write(tmp_path / "odd.tif", 10 ** (land(4) / 10), ("VV", "VH"))
    with pytest.raises(InputError, match=r"odd\.tif seems to be in linear_power, most of its folder in db"):
        ChipFolder(tmp_path, BANDS)
    write(tmp_path / "odd.tif", (200 * 10 ** (land(4) / 20)).astype(np.uint16), ("VV", "VH"))
    with pytest.raises(InputError, match=r"odd\.tif: These look like uncalibrated digital numbers"):
        ChipFolder(tmp_path, BANDS)
    write(tmp_path / "odd.tif", 10 ** (land(4) / 10), ("VV", "VH"))
    toml(tmp_path, '[[bands]]\nname = "VV"\nunit = "db"\n[[bands]]\nname = "VH"\nunit = "db"\n')
    with pytest.raises(InputError, match=r"odd\.tif: The units were given as dB"):
        ChipFolder(tmp_path, BANDS)


def test_an_alpha_band_between_the_others_is_left_out(tmp_path):
    values = np.concatenate([land(0), np.full((1, 48, 48), 255, np.float32)])[[0, 2, 1]]
    values[1, :8] = 0
    path = write(tmp_path / "a.tif", values, ("VV", "", "VH"), **PLACED)
    with rasterio.open(path, "r+") as file:
        file.colorinterp = [ColorInterp.gray, ColorInterp.alpha, ColorInterp.undefined]
    folder = ChipFolder(tmp_path, BANDS)
    assert folder.entries[0].numbers == (1, 3)
    found, valid = folder.read(0)
    np.testing.assert_array_equal(found[:, valid], values[[0, 2]][:, valid])
    assert not valid[:8].any() and valid[8:].all()
