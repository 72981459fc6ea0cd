"""Products as downloaded among the dates of a composite, dates in tags, and a cancel."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
import rasterio

from backend.cli.commands.composite import STATISTICS as OFFERED
from backend.core.errors import Cancelled
from backend.raster.acquisition import Span, acquired, joined, span_of
from backend.raster.source import RasterSource
from backend.series.command import CompositeRequest, composite
from backend.series.periods import parted
from backend.series.statistics import STATISTICS
from tests.support.backend.listener import cancelled_after
from tests.support.make_safe import Scene, make_safe


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    return make_safe(tmp_path_factory.mktemp("product"), Scene(shape=(60, 80)))


def test_a_product_is_calibrated_and_the_temporary_raster_goes(cli, product, tmp_path):
    assert cli("calibrate", product, tmp_path / "once.tif")[0] == 0
    code, out, err = cli(
        "composite", tmp_path / "o.tif", tmp_path / "once.tif", product, "--statistics", "mean", "max", "count",
        "--output-units", "linear_power", "--progress", "json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["dates"] == ["2021-04-01", "2021-04-01"]
    with rasterio.open(tmp_path / "o.tif") as file, rasterio.open(tmp_path / "once.tif") as once:
        mean, whole, tags = file.read([1, 2]), once.read(), file.tags()
        assert file.descriptions == ("VV_mean", "VH_mean", "VV_max", "VH_max", "count")
    assert mean.shape == whole.shape and np.allclose(mean, whole, rtol=1e-5, equal_nan=True)
    assert tags["SARDINO_QUANTITY"] == "gamma0" and tags["SARDINO_TERRAIN_CORRECTION"] == "none"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "o.qml", "o.tif", "o.tif.aux.xml", "once.qml", "once.tif", "once.tif.aux.xml"
    ]  # fmt: skip


def test_an_extent_of_a_product_is_in_degrees(cli, product, tmp_path):
    code, _, err = cli("composite", tmp_path / "o.tif", product, "--extent", 9.2565, 45.9595, 9.2605, 45.9620)
    assert code == 0, err
    with rasterio.open(tmp_path / "o.tif") as file:
        assert 28 <= file.width <= 38 and 25 <= file.height <= 34


def test_a_cancelled_composite_leaves_nothing(make_raster, scene_db, tmp_path):
    inputs = [str(make_raster(scene_db(600, 40, seed), f"S1_2021010{seed + 1}.tif")) for seed in range(2)]
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Cancelled):
        composite(CompositeRequest(tmp_path / "o.tif", inputs), cancelled_after())
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "descriptions", "tags", "wanted"),
    [
        ("S1A_IW_GRDH_1SDV_20210401T052623_20210401T052648_037256_04638E_6001.tif", ("VV", "VH"), {}, "2021-04-01"),
        ("OPERA_RTC-S1_T137-292319-IW2_20211119T020000Z_20211120T010000Z_S1A_30.tif", ("VV", "VH"), {}, "2021-11-19"),
        ("scene.tif", ("VV_2020-02-03", "VH_2020-02-03"), {}, "2020-02-03"),
        ("scene_2021-03.tif", ("VV", "VH"), {}, "2021-03"),
        ("S1_20200101.tif", ("VV", "VH"), {"ACQUISITION_DATE": "2021-04-01T05:26"}, "2021-04-01"),
        ("o.tif", ("VV_mean", "VH_mean"), {"SARDINO_ACQUIRED": "2021-01-05", "SARDINO_ACQUIRED_END": "2021-07-05"},
         "2021-01-05/2021-07-05"),
        ("scene_99999999.tif", ("VV", "VH"), {"TIFFTAG_DATETIME": "2021:01:01 00:00:00"}, None),
    ],
)  # fmt: skip
def test_dates_are_found(make_raster, scene_db, name, descriptions, tags, wanted):
    path = make_raster(scene_db(8, 8), name, descriptions)
    with rasterio.open(path, "r+") as file:
        file.update_tags(**tags)
    with RasterSource(path) as source:
        found = acquired(source)
    assert (found.text if found else None) == wanted


def test_seasons_turn_with_the_hemisphere():
    spans = [span_of(text) for text in ("20201215", "20210115", "20210715", "20211201")]
    north, south = (parted(["a"] * 4, spans, "season", up) for up in (True, False))
    assert north == {"winter_2021": [0, 1], "summer_2021": [2], "winter_2022": [3]}
    assert list(south) == ["summer_2021", "winter_2021", "summer_2022"]
    assert joined(spans) == Span(date(2020, 12, 15), date(2021, 12, 1)) and joined([*spans, None]) is None
    assert span_of("20210231") is None


def test_the_command_offers_what_there_is():
    assert OFFERED == STATISTICS
