"""What names of bands tell, and which bands are taken by them."""

import pytest

from backend.core.errors import InputError
from backend.raster.band_names import acquisition, date_of, parse
from backend.raster.bands import pick_bands

NAMES = ("VV", "VH")


def pick(*texts, names=NAMES, requested=None, lenient=False):
    return pick_bands(texts, range(1, len(texts) + 1), names, requested, lenient)


@pytest.mark.parametrize(
    "name",
    "IWGRDVV H1VVA sigmaVV VVdB Gamma0_VV_db Sigma0_VV_slv1_05Jan2020 VV_20200101 S1_VV vv sigma0vv GammaVV VVmean "
    "SIG0_S1A_IWGRDVV_20170131 s1a-iw-grd-vv-20200903t131212-20200903t131237-034195-03f8f5-001 Intensity_VV σ0VV "
    "VVMean backscatterVV VVasc S1A_IW_20200113T165043_DVP_RTC10_G_gpufed_2B5E_VV VV_linear fooVV GRDVVdb".split(),
)
def test_polarisation_is_found_as_tools_write_it(name):
    assert parse(name).backscatter == "VV"
    for other in ("VH", "HH", "HV"):
        assert parse(name.replace("VV", other).replace("vv", other.lower())).backscatter == other


@pytest.mark.parametrize("name", "VHS OVVAL VVX vhs_tape HHs savvy B1 1SDV gray revVHS behave hvac VVs".split())
def test_letters_inside_other_words_are_no_polarisation(name):
    assert not parse(name).polarisations


@pytest.mark.parametrize(
    "name, kind",
    [
        ("coh_VV", "coherence"),
        ("VV_coherence", "coherence"),
        ("coh_IW1_VV_01Jan2020_13Jan2020", "coherence"),
        ("cohVV", "coherence"),
        ("corr_VV", "coherence"),
        ("VV_std", "standard deviation"),
        ("stdDev_VV", "standard deviation"),
        ("VV_stdDev", "standard deviation"),
        ("sd_VV", "standard deviation"),
        ("VV_dev", "standard deviation"),
        ("Beta0_VV", "beta nought"),
        ("betaVV", "beta nought"),
        ("VV_angle", "angle"),
        ("localIncidenceAngle", "angle"),
        ("VV_lia", "angle"),
        ("inc_VV", "angle"),
        ("elevation", "terrain"),
        ("VV/VH", "ratio"),
        ("ratio_VVVH", "ratio"),
        ("VV_glcm_contrast", "texture"),
        ("VV_mask", "mask"),
        ("VV_count", "count"),
        ("Phase_VV", "phase"),
        ("i_IW1_VV", "phase"),
        ("q_VV", "phase"),
    ],
)
def test_names_tell_what_is_not_backscatter(name, kind):
    assert kind in parse(name).kinds and not parse(name).backscatter


def test_other_words_in_names_of_files_are_not_believed():
    assert parse("S1_study_of_change_over_San_Diego_SD_2020_VV").backscatter == "VV"


@pytest.mark.parametrize(
    "texts, bands",
    [
        (("sigmaVH", "sigmaVV"), (2, 1)),
        (("coh_VH", "Intensity_VH", "coh_VV", "Intensity_VV"), (4, 2)),
        (("VV_std", "VH_std", "VV_mean", "VH_mean"), (3, 4)),
        (("Beta0_VV", "Beta0_VH", "Sigma0_VH", "Sigma0_VV"), (4, 3)),
        (("angle", "VH_angle", "VH", "VV"), (4, 3)),
        (("angle", None, None), (2, 3)),
        (("Amplitude_VH", "Intensity_VH", "Intensity_VV", "Amplitude_VV"), (3, 2)),
        (("HH", "HV", "VV", "VH"), (3, 4)),
        (("VV_20200101", "VH_20200113", "VV_20200113"), (3, 2)),
        (("Sigma0_VH_slv1_05Jan2020", "Sigma0_VV_slv2_05Jan2020"), (2, 1)),
        (("VV_m00", "VH_m00", "VV_m01", "VH_m01"), (1, 2)),
        (("VV_2020-01-01", "VV_2020-01-13", "VH_2020-01-01", "VH_2020-01-13"), (1, 3)),
        (("VV", "VH", "VV_1", "VH_1"), (1, 2)),
        (("Band 1: VV", "Band 2: VH"), (1, 2)),
    ],
)
def test_bands_taken_are_backscatter_of_one_date(texts, bands):
    assert pick(*texts)[0] == bands


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(
    "texts, message",
    [
        (
            ("20200113_VV", "20200101_VV", "20200101_VH", "20200113_VH"),
            "several dates: 20200113 (band 1 VV, band 4 VH)",
        ),
        (("VV_20200101", "VH_20200113"), "several dates"),
        (("VV_before", "VH_after"), "several dates"),
        (("VV_1", "VH_2", "VV_3", "VH_4"), "several dates"),
        (("Sigma0_HH", "Sigma0_HV"), "The raster has HH, HV; the model was trained on VV, VH."),
        (("VV", "HH"), "The raster has VV, HH;"),
        (("VV", "HV"), "The raster has VV, HV;"),
        (("HH", None), "The raster has HH;"),
        (("coh_VV", "coh_VH"), "'coh_VV' (coherence), 'coh_VH' (coherence)"),
        (("coh_VV", None, None), "no such band among 'coh_VV' (coherence), 'band 2'"),
        (("Beta0_VV", "Beta0_VH"), "'Beta0_VV' (beta nought)"),
        (("angle", None), "The raster has 1 band, beside 'angle' (angle); the model wants 2 (VV, VH)."),
    ],
)
def test_bands_that_names_contradict_are_refused(texts, message, lenient):
    with pytest.raises(InputError) as refusal:
        pick(*texts, lenient=lenient)
    assert message in refusal.value.message and refusal.value.hint


def test_what_is_asked_for_is_taken_whatever_its_name():
    for texts in (("HH", "HV"), ("20200113_VV", "20200101_VH"), ("coh_VV", "coh_VH")):
        assert pick(*texts, requested=(1, 2)) == ((1, 2), "asked")


def test_a_hint_names_the_bands_of_one_date():
    with pytest.raises(InputError) as refusal:
        pick("20200113_VV", "20200101_VV", "20200101_VH", "20200113_VH")
    assert refusal.value.hint.endswith("--bands 1 4.")


def test_a_card_may_ask_for_what_is_not_backscatter():
    texts = ("coh_VV_20200101", "VH", "angle", "VV", "VV_std")
    assert pick(*texts, names=("VV", "VH", "coh_VV", "angle", "VV_std"))[0] == (4, 2, 1, 3, 5)


def test_names_of_one_date_differ_by_the_polarisation_only():
    assert {acquisition(name) for name in ("sigmaVH", "sigmavv")} == {"sigma"}


@pytest.mark.parametrize(
    ("name", "date"),
    [("LC_2018_10m", ""), ("S1_VV_2020_12m_db", ""), ("lc_2020_06", "202006"), ("VV_2020-03mean", "202003")],
)
def test_a_pixel_size_after_a_year_is_no_month(name, date):
    assert date_of(name) == date
