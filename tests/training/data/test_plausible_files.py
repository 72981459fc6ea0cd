"""A file whose values can't be backscatter is refused in training as in mapping, and exchanged bands are recognised."""

import numpy as np
import pytest

from backend.core.errors import InputError
from backend.radiometry.units import Units
from tests.support.geotiffs import BANDS, PLACED, land, toml, write
from training.data.dataset import ChipFolder
from training.data.dataset_toml import FolderFacts
from training.data.scan import scan
from training.data.scenes import SceneFiles


def look(path, **facts):
    return scan(path.stem, SceneFiles((path,), (path.stem,)), FolderFacts(**facts), BANDS, Units.AUTO)


def test_chips_scaled_to_0_1_are_refused_unless_accepted(tmp_path):
    path = write(tmp_path / "a.tif", (land() + 50) / 55, ("VV", "VH"), **PLACED)
    with pytest.raises(InputError, match=r"a\.tif: .*VV") as caught:
        look(path)
    assert "accept_values = true" in caught.value.hint
    look(path, accept_values=True)


def test_what_was_accepted_is_refused_once_it_no_longer_is(tmp_path):
    write(tmp_path / "a.tif", (land() + 50) / 55, ("VV", "VH"), **PLACED)
    toml(tmp_path, "accept_values = true")
    ChipFolder(tmp_path, BANDS)
    toml(tmp_path, "")
    with pytest.raises(InputError, match=r"a\.tif: .*VV"):
        ChipFolder(tmp_path, BANDS)


def test_bands_without_names_are_ordered_by_their_values(tmp_path):
    assert look(write(tmp_path / "a.tif", land(), **PLACED)).numbers == (1, 2)
    swapped = look(write(tmp_path / "b.tif", land()[::-1], **PLACED))
    assert swapped.numbers == (2, 1) and swapped.levels[0][0] > swapped.levels[1][0]


@pytest.mark.parametrize("names", [("VV", "VH"), ("VH", "VV"), ()])
@pytest.mark.parametrize("filling", [0.0, -9999.0])
def test_filling_that_no_file_declares_is_no_data(tmp_path, names, filling):
    values = land()
    values[1, :, :10] = filling
    write(tmp_path / "images" / "a.tif", values if names != ("VH", "VV") else values[::-1], names, **PLACED)
    folder = ChipFolder(tmp_path, BANDS)
    chip = folder[0]
    assert not chip.valid[:, :10].any() and chip.valid[:, 10:].all()
    assert folder.entries[0].pixels == 48 * 38 and folder.entries[0].levels[1][0] == pytest.approx(-18, abs=0.3)
    again = ChipFolder(tmp_path, BANDS)
    assert again.entries == folder.entries, "from the cache"
    np.testing.assert_array_equal(again.read(0, (0, 5, 9, 9))[1], chip.valid[:9, 5:14])
