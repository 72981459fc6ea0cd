"""A file whose values can't be backscatter is refused in training as in mapping, and exchanged bands are recognised."""

import pytest

from backend.core.errors import InputError
from backend.radiometry.units import Units
from tests.support.geotiffs import BANDS, PLACED, land, write
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


def test_bands_without_names_are_ordered_by_their_values(tmp_path):
    assert look(write(tmp_path / "a.tif", land(), **PLACED)).numbers == (1, 2)
    swapped = look(write(tmp_path / "b.tif", land()[::-1], **PLACED))
    assert swapped.numbers == (2, 1) and swapped.levels[0][0] > swapped.levels[1][0]
