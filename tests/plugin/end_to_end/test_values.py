"""Values that are not what they seem are mapped rightly, or refused with advice, through Processing as well."""

from __future__ import annotations

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import QgsProcessingException

from tests.support.plugin.rasters import write_raster

SIZE = (80, 96)


@pytest.fixture
def write(tmp_path):
    """Write float32 bands [bands, rows, columns] as a GeoTIFF: UTM, 10 m, without nodata, named as told."""

    def make(values, name: str, descriptions=()):
        path = str(tmp_path / name)
        data = write_raster(path, values.astype(np.float32), gdal.GDT_Float32, nodata=None)
        for number, text in enumerate(descriptions, 1):
            data.GetRasterBand(number).SetDescription(text)
        data = None
        return path

    return make


@pytest.fixture
def land():
    """VV and VH in dB of a bright and a dark half."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1.5, (2, *SIZE)) + np.array([-10.0, -17.0])[:, None, None]
    values[:, :, 48:] -= 6
    return values


@pytest.fixture
def mapped(tmp_path, feedback, qgis_new_project):
    """Map a raster, and return the classes."""

    def run(raster, **more):
        output = str(tmp_path / "o.tif")
        processing.run(
            "sardino:landcover", {"INPUT": raster, "MODEL": "tiny", "OUTPUT": output, **more}, feedback=feedback
        )
        return gdal.Open(output).ReadAsArray()

    return run


@pytest.fixture
def plain(land, write, mapped):
    """The map of the place given plainly."""
    return mapped(write(land, "plain.tif", ("VV", "VH")))


def test_exchanged_bands_without_names_give_the_map(land, write, mapped, plain, feedback):
    assert np.array_equal(mapped(write(land[::-1], "swapped.tif")), plain)
    assert any("taken as VH, VV" in text for text in feedback.warnings)


def test_names_that_values_contradict_are_refused(land, write, mapped):
    with pytest.raises(QgsProcessingException, match="contradict their values: check them"):
        mapped(write(land[::-1], "wrong.tif", ("VV", "VH")))


@pytest.mark.parametrize("filling", [0, -9999])
def test_filling_at_the_border_is_no_data(land, write, mapped, plain, feedback, filling):
    land[:, :, 80:] = filling
    found = mapped(write(land, "border.tif", ("VV", "VH")))
    assert not found[:, 80:].any() and found[:, :80].all()
    assert (found[:, :64] == plain[:, :64]).mean() > 0.9
    if filling:
        assert any("exactly -9999, read as nodata" in text for text in feedback.warnings)


def test_values_0_to_1_are_refused_until_accepted(land, write, mapped, feedback):
    scaled = write((land - land.min()) / np.ptp(land), "scaled.tif", ("VV", "VH"))
    with pytest.raises(QgsProcessingException, match="Accept implausible values"):
        mapped(scaled)
    assert (mapped(scaled, ACCEPT_VALUES=True) > 0).mean() > 0.99
    assert any("Mapped all the same" in text for text in feedback.warnings)


def test_a_file_for_each_polarisation_gives_the_map(land, write, mapped, plain):
    files = [write(land[[row]], f"s1_{name}.tif") for row, name in enumerate(("vv", "vh"))]
    assert np.array_equal(mapped(files[1], FURTHER=[files[0]]), plain)


@pytest.mark.parametrize("given", ["", "s1_*.tif"])
def test_a_folder_or_a_pattern_is_refused_with_advice(land, write, mapped, tmp_path, given):
    for row, name in enumerate(("vv", "vh")):
        write(land[[row]], f"s1_{name}.tif")
    with pytest.raises(QgsProcessingException, match="Further rasters of the scene"):
        mapped(str(tmp_path / given))
