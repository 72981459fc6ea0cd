"""Bands of a raster are matched to those of the model."""

import numpy as np
import pytest
import rasterio

from backend.core.errors import InputError
from backend.raster.band_names import acquisition
from backend.raster.bands import choose_bands, pick_bands
from tests.backend.reliability import zoo

NAMES = ("VV", "VH")


@pytest.mark.parametrize(
    "descriptions, bands",
    [
        (("VV", "VH"), (1, 2)),
        (("VH", "VV"), (2, 1)),
        (("Sigma0_VH_db", "sigma0_vv_db"), (2, 1)),
        (("angle", "Gamma0_VH_db", "Gamma0_VV_db"), (3, 2)),
        (("VV/VH", "VH", "VV"), (3, 2)),
        ((None, None), (1, 2)),
        (("a", "b", "c"), (1, 2)),
    ],
)
def test_bands_are_found_by_description_else_by_position(descriptions, bands):
    usable = range(1, len(descriptions) + 1)
    assert pick_bands(descriptions, usable, NAMES, None)[0] == bands


def test_bands_of_seasons_and_coherence_are_kept_apart():
    names = ("vv_winter", "VH_winter", "VV_summer", "VH_summer", "coh_VV")
    descriptions = ("coh_VV", "VH_summer", "VV_Summer", "VH_WINTER", "VV_winter")
    assert pick_bands(descriptions, range(1, 6), names, None)[0] == (5, 4, 3, 2, 1)
    assert pick_bands(("coh_VV", "VH", "VV"), range(1, 4), ("VV", "VH", "coh_VV"), None)[0] == (3, 2, 1)


def test_bands_of_one_date_share_an_acquisition():
    dates = [acquisition(name) for name in ("VV_winter_asc", "vh_winter_asc", "VV_summer_asc", "VV", "VH")]
    assert dates == ["winter_asc", "winter_asc", "summer_asc", "", ""]


@pytest.mark.parametrize(
    "descriptions, requested, text",
    [
        (("VV",), None, "VH"),
        ((None,), None, "1 band;"),
        (("VV", "VH"), (1,), "1 band numbers"),
        (("VV", "VH"), (1, 3), "no band 3"),
        (("VV", "VH"), (1, 1), "Band 1 is given for VV and VH"),
        (("VV_before", "VV_after"), None, "no band VH"),
    ],
)
def test_bands_that_do_not_fit_are_refused(descriptions, requested, text):
    with pytest.raises(InputError, match=text) as refusal:
        pick_bands(descriptions, range(1, len(descriptions) + 1), NAMES, requested)
    assert refusal.value.hint


@pytest.mark.parametrize(
    "descriptions, requested, text",
    [((None,), None, "--bands 1 0"), (("VV", "VH"), (0, 0), "missing"), (("VV", "VH"), (0, 3), "no band 3")],
)
def test_missing_bands_must_be_named(descriptions, requested, text):
    with pytest.raises(InputError) as refusal:
        pick_bands(descriptions, range(1, len(descriptions) + 1), NAMES, requested, allows_missing=True)
    assert text in refusal.value.message + refusal.value.hint
    with pytest.raises(InputError, match="needs all its bands"):
        pick_bands(("VV", "VH"), (1, 2), NAMES, (1, 0))


@pytest.mark.parametrize(("name", "told"), [("dataMask", True), ("layover_shadow_mask", True), ("angle", False)])
def test_a_mask_that_is_not_applied_is_told(name, told, tmp_path):
    names = ("VV", "VH", name)
    path = zoo.write(tmp_path / "m.tif", np.full((3, 40, 40), -10, dtype=np.float32), names)
    with rasterio.open(path) as file:
        notes = [text for level, text in choose_bands(file, str(path), NAMES, None, True).notes if level == "warning"]
        assert any("Not applied" in text and name in text for text in notes) == told
        assert not choose_bands(file, str(path), NAMES, (1, 2), True).notes[1:]
