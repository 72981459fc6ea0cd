"""Test parsed options, requests made from them, and wrong usage."""

from pathlib import Path

import pytest

from backend.accuracy.command import AccuracyRequest
from backend.cli.commands.command import request_of
from backend.cli.options import parse
from backend.grd.request import CalibrateRequest
from backend.own_classes.samples import SampleSource


@pytest.mark.parametrize(
    "extent",
    [("-1e-05", "-2E-5", "1e-5", "2e-05"), ("-1.5e+03", "-.5", "-1.", "7"), ("-3", "-2.5", "-1e0", "-1e-300")],
)
def test_extents_may_be_negative_in_any_notation(extent):
    options = parse(["landcover", "in.tif", "out.tif", "--extent", *extent, "--bands", "1", "2"])
    assert options.extent == [float(text) for text in extent]
    assert options.bands == [1, 2] and options.output == Path("out.tif")


def test_points_may_be_many_and_negative_in_any_notation():
    options = parse(["similarity", "in.tif", "out.tif", "--point", "-1e-05", "2E+5", "--point", "-3", "-.5"])
    assert options.point == [[-1e-05, 2e5], [-3, -0.5]] and options.grid == "input"
    assert parse(["embed", "in.tif", "out.tif"]).grid == "patch"


def test_wrong_usage_is_2(cli):
    assert cli("similarity", "a", "b")[0] == 2
    assert cli("similarity", "a", "b", "--point", "1")[0] == 2
    assert cli("embed", "a", "b", "--grid", "finer")[0] == 2
    assert cli("landcover", "a", "b", "--extent", "-1e-05", "-x", "1", "2")[0] == 2
    assert cli("landcover")[0] == 2
    assert cli("landcover", "a", "b", "--batch-size", "-1")[0] == 2
    assert cli("nothing")[0] == 2


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["attention", "a", "b", "--mass", "0.6"], "--masks"),
        (["accuracy", "a", "b", "c", "--seed", "1"], "--sample"),
        (["accuracy", "a", "b", "c", "--seed", "1", "--sample", "0"], "--sample"),
        (["calibrate", "a", "b", "--dem-heights", "geoid"], "--dem"),
        (["card", "--overwrite"], "--output"),
    ],
)
def test_an_option_without_effect_is_wrong_usage(words, needed, cli):
    code, out, err = cli(*words)
    assert (code, out) == (2, "") and f"has no effect without {needed}; add that, or leave it out" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["landcover", "a.tif", "b.tif", "--bits", "8"], "--bits 8 has no effect without --confidence"),
        (["archive", "a", "--out", "b", "--workers", "2"], "--workers has no effect without --cluster local"),
        (["info", "--bands", "1"], "--bands has an effect on rasters only"),
        (["info", "--check", "--units", "db"], "--units has an effect on rasters only"),
    ],
)
def test_an_option_without_effect_is_refused(words, said, cli):
    code, out, err = cli(*words)
    assert (code, out) == (1, "") and said in err


def test_options_that_refine_others_have_defaults():
    assert parse(["attention", "a", "b", "--masks", "m", "--mass", "0.5"]).mass == 0.5
    assert parse(["accuracy", "a", "b", "c", "--sample", "9"]).seed == 0
    assert parse(["calibrate", "a", "b", "--dem", "d"]).dem_heights == "geoid"
    assert parse(["polygons", "a", "b"]).overwrite is False and parse(["polygons", "a", "b", "--overwrite"]).overwrite


def test_requests_hold_what_the_options_say():
    options = parse(
        ["accuracy", "m", "r", "o.html", "--field", "c", "--remap", "1=2", "--sample", "9", "--seed", "3"]
        + ["--ignore-map", "4", "--ignore-reference", "5", "6", "--reference-name", "n", "--json", "j", "--overwrite"]
    )
    request = request_of(AccuracyRequest, options)
    assert request == AccuracyRequest(
        "m", "r", Path("o.html"), Path("j"), None, "c", {"1": 2}, [4], [5, 6], 9, 3, "n", True
    )
    options = parse(["calibrate", "p", "o", "--product", "sigma0", "--units", "db", "--pixel-size", "20", "--dem", "d"])
    calibrate = request_of(CalibrateRequest, options)
    assert (calibrate.quantity, calibrate.units, calibrate.pixel_size, calibrate.dem) == ("sigma0", "db", 20, "d")
    source = request_of(SampleSource, parse(["train", "r", "m", "--samples", "s", "--field", "c", "--title", "t"]))
    assert source == SampleSource(Path("s"), "c", None, "t", [])
