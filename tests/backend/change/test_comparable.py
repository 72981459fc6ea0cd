"""Warn of dates of different orbits, of other processing, and of exchanged dates."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
import rasterio

from backend.change.comparable import order_warning, warnings
from backend.raster.acquisition import (
    ASCENDING,
    DESCENDING,
    Origin,
    Span,
    origin_of,
    origin_processing,
    span_of,
)
from backend.raster.source import RasterSource

MORNING, EVENING = "S1A_IW_20220106T054139_DVP_RTC10_G_gpunem_1A2B", "S1A_IW_20220112T170512_DVP_RTC10_G_gpunem_3C4D"


def origin(make_raster, name: str, **tags) -> Origin:
    path = make_raster(np.full((2, 8, 8), -10, np.float32), f"{name}.tif")
    with rasterio.open(path, "r+") as file:
        file.update_tags(**tags)
    with RasterSource(path) as source:
        return origin_of(source)


@pytest.mark.parametrize(
    ("name", "tags", "second", "track", "direction"),
    [
        (MORNING, {}, 5 * 3600 + 41 * 60 + 39, None, ""),
        ("scene", {"SARDINO_ACQUIRED": "2022-01-06T05:41:39.123456"}, 20499, None, ""),
        ("scene", {"SARDINO_ACQUIRED": "2022-01-06", "SARDINO_ACQUIRED_END": "2022-03-06"}, None, None, ""),
        (MORNING, {"ACQUISITION_DATE": "2022-01-06"}, None, None, ""),
        ("OPERA_L2_RTC-S1_T071-151226-IW3_20220106T054139Z_20220107T000000Z_S1A_30_v1.0", {}, 20499, 71, ""),
        ("s1a_31TCJ_vv_DES_110_20220106t054139", {}, 20499, 110, DESCENDING),
        ("a", {"ORBIT_DIRECTION": "ASCENDING", "TRACK_NUMBER": "15"}, None, 15, ASCENDING),
        ("field_asc_20220106", {}, None, None, ASCENDING),
        ("S1_20220106_054139_VV", {}, None, None, ""),  # may be a number
        ("S1_2022-01-06T05:41:39Z_VV".replace(":", ""), {}, 20499, None, ""),
        ("20240301T101500_S1A_IW_GRDH_1SDV_20220106T054139_20220106T054204_041", {}, 20499, None, ""),
        ("a", {"ACQUISITION_DATE": "2022-01-06", "ACQUISITION_TIME": "05:41:39"}, 20499, None, ""),
        ("a", {"RELATIVE_ORBIT": "71", "scene_id": "A1", "orbitProperties_pass": "DESCENDING"}, None, 71, DESCENDING),
        ("apres_des_inondations_20200601", {}, None, None, ""),
        ("lat_asc_044_2020", {}, None, None, ASCENDING),
        ("S1_20220106T994139", {}, None, None, ""),
        ("description", {"AREA_OR_POINT": "Area"}, None, None, ""),
    ],
)
def test_tags_and_names_tell_the_orbit(make_raster, name, tags, second, track, direction):
    found = origin(make_raster, name, **tags)
    assert (found.second, found.track, found.direction) == (second, track, direction)


def test_dates_of_one_pass_give_no_warning(make_raster):
    first = origin(make_raster, MORNING)
    later = MORNING.replace("20220106T054139", "20220130T054204")
    assert not warnings(first, origin(make_raster, later))
    assert not warnings(Origin(second=86_390), Origin(second=20)) and not warnings(Origin(), first)
    assert not warnings(Origin(direction=ASCENDING), Origin(track=4))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Origin(second=20_000), Origin(second=20_500)),  # the neighbouring track
        (Origin(track=7), Origin(track=15)),
        (Origin(direction=ASCENDING), Origin(direction=DESCENDING, second=20_000)),
    ],
)
def test_dates_of_two_orbits_are_warned_of(first, second):
    (text,) = warnings(first, second)
    assert "different orbits" in text and "one orbit" in text


def test_precise_orbits_and_days_in_a_month_are_no_difference():
    terrain = "range-Doppler with dem.tif, heights above the geoid"
    tags = [{"SARDINO_TERRAIN_CORRECTION": f"{terrain}, orbit of S1A_{day}.EOF"} for day in (1, 2)]
    found = [Origin(processing=origin_processing(each)) for each in tags]
    assert found[0].processing == {"SARDINO_TERRAIN_CORRECTION": terrain} and not warnings(*found)
    day, month, year = span_of("20200615"), span_of("202006"), Span(date(2020, 1, 1), date(2020, 12, 31))
    for other in (month, year, span_of("202010")):
        assert not order_warning(day, other, "") and not order_warning(other, day, "")
    assert "exchanged" in order_warning(day, span_of("20200614"), "rise and fall")
    assert "Both rasters" in order_warning(day, day, "")


def test_the_start_of_a_product_counts_before_another_time(make_raster):
    named = origin(make_raster, "20240301T101500_S1A_IW_GRDH_1SDV_20220106T054139_20220106T054204_041")
    assert named.span == span_of("20220106")


def test_joined_files_keep_their_tags(make_raster):
    paths = [make_raster(np.full((1, 8, 8), level, np.float32), f"a_{name}.tif", (name,))
             for level, name in ((-10, "VV"), (-17, "VH"))]  # fmt: skip
    for path in paths:
        with rasterio.open(path, "r+") as file:
            file.update_tags(SARDINO_ACQUIRED="2022-01-06T05:41:39", ORBIT_DIRECTION="ASCENDING", NAME=path.name)
    with RasterSource([str(path) for path in paths]) as source:
        found = origin_of(source)
        assert "NAME" not in source.tags()
    assert (found.second, found.direction, found.span) == (20499, ASCENDING, span_of("20220106"))


def test_a_run_warns_of_exchanged_dates_orbits_and_processing(make_raster, tmp_path, cli):
    rng = np.random.default_rng(0)
    paths = []
    for name, flattened in ((EVENING, "yes"), (MORNING, "no")):
        db = (10 * np.log10(rng.gamma(4, 0.02, (2, 120, 120)))).astype(np.float32)
        paths.append(make_raster(db - np.float32([[[0]], [[7]]]), f"{name}.tif"))
        with rasterio.open(paths[-1], "r+") as file:
            file.update_tags(SARDINO_TERRAIN_FLATTENING=flattened)
    target, report, figures = (tmp_path / name for name in ("c.tif", "c.html", "c.json"))
    words = ["change", *paths, target, "--from", "sar", "--report", report, "--json", figures, "--progress", "json"]
    code, out, err = cli(*words)
    assert code == 0, err
    logged = [event for event in map(json.loads, out.splitlines()) if event["event"] == "log"]
    told = [event["message"] for event in logged if event["level"] == "warning"]
    assert told == json.loads(figures.read_text())["warnings"] and len(told) == 3
    assert "2022-01-12" in told[0] and "exchanged" in told[0]
    assert "(17:05 UTC; 05:41 UTC)" in told[1] and "terrain flattening: yes and no" in told[2]
    assert "Warnings" in report.read_text() and "17:05 UTC" in report.read_text()
    infos = [event["message"] for event in logged if event["level"] == "info"]
    assert not set(told) & set(infos)
