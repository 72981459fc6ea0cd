"""Test `sardino:composite`, and further dates of land cover, in a real QGIS with a real worker."""

from __future__ import annotations

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsRasterLayer
from qgis.PyQt.QtCore import QDate

from sardino_qgis.layers.metadata import is_result
from sardino_qgis.layers.styling import QmlStyler
from tests.support.options import option


@pytest.fixture
def dates(make_scene):
    """Three dates of one place, the last with a nodata corner."""
    draws = [np.random.default_rng(seed).normal(-12.0, 2.0, (80, 96)) for seed in range(3)]
    draws[2][:10, :12] = -9999
    return [str(make_scene(vv, f"S1_2021010{day}.tif")) for day, vv in enumerate(draws, 1)]


def bands_of(path):
    data = gdal.Open(str(path))
    return {
        data.GetRasterBand(n).GetDescription(): data.GetRasterBand(n).ReadAsArray()
        for n in range(1, data.RasterCount + 1)
    }


def test_composite_of_layers(provider, real_worker, dates, tmp_path, feedback):
    output = tmp_path / "o.tif"
    given = {"INPUTS": dates, "STATISTICS": ["mean", "std", "count"], "OUTPUT": str(output)}
    assert processing.run("sardino:composite", given, feedback=feedback) == {"OUTPUT": str(output)}
    bands = bands_of(output)
    assert list(bands) == ["VV_mean", "VH_mean", "VV_std", "VH_std", "count"]
    power = np.stack([10 ** (bands_of(path)["VV"] / 10.0) for path in dates])
    assert np.allclose(bands["VV_mean"][20:], 10 * np.log10(power[:, 20:].mean(axis=0)), atol=1e-3)
    assert bands["count"][5, 5] == 2 and bands["count"][40, 40] == 3
    assert any("VV_mean" in text for text in feedback.infos) and feedback.progress() == 100
    layer = QgsRasterLayer(str(output), "composite")
    QmlStyler().postProcessLayer(layer, None, feedback)
    assert not is_result(layer)  # it is a scene, which may be mapped
    days = layer.temporalProperties().fixedTemporalRange()
    assert (days.begin().date(), days.end().date()) == (QDate(2021, 1, 1), QDate(2021, 1, 3))
    del layer


def test_filter_and_refusals(provider, real_worker, dates, tmp_path, feedback):
    output = str(tmp_path / "o.tif")
    processing.run("sardino:composite", {"INPUTS": dates, "FILTER": True, "OUTPUT": output}, feedback=feedback)
    assert list(bands_of(output))[:3] == ["VV_2021-01-01", "VH_2021-01-01", "VV_2021-01-02"]
    assert any("Equivalent number of looks" in text for text in feedback.infos)
    with pytest.raises(QgsProcessingException, match="set the period to all"):
        given = {"INPUTS": dates, "FILTER": True, "PERIOD": "month", "OUTPUT": output}
        processing.run("sardino:composite", given)


def test_further_dates_reach_the_worker(provider, calls, dates, tmp_path):
    given = {"INPUT": dates[0], "DATES": dates[1:], "OUTPUT": str(tmp_path / "o.tif")}
    processing.run("sardino:landcover", {**given, "OUTPUT_AGREEMENT": str(tmp_path / "a.tif")})
    arguments = calls()["arguments"]
    assert [arguments[n + 1] for n, word in enumerate(arguments) if word == "--date"] == dates[1:]
    assert option(arguments, "--agreement") == [str(tmp_path / "a.tif")]
    with pytest.raises(QgsProcessingException, match="needs further dates"):
        processing.run("sardino:landcover", {**given, "DATES": [], "OUTPUT_AGREEMENT": str(tmp_path / "a.tif")})


def test_land_cover_of_several_dates(provider, real_worker, dates, tmp_path):
    given = {"INPUT": dates[0], "DATES": dates[1:], "MODEL": "tiny", "DEVICE": "cpu"}
    paths = {name: str(tmp_path / f"{name}.tif") for name in ("OUTPUT", "OUTPUT_AGREEMENT")}
    processing.run("sardino:landcover", {**given, **paths})
    (agreement,) = bands_of(paths["OUTPUT_AGREEMENT"]).values()
    assert np.isfinite(agreement).all() and 0 <= agreement.min() and agreement.max() <= 1.0001
    assert gdal.Open(paths["OUTPUT"]).GetMetadata()["SARDINO_DATES"] == "2021-01-01,2021-01-02,2021-01-03"
