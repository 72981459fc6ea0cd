"""Test class names from sidecar files, and files that must not be parsed."""

import pytest
import rasterio

from backend.accuracy.class_names import class_names
from backend.card.model_card import LandCoverClass
from backend.output.styles import LEGEND_TAG, aux_xml, legend_tags, paletted_qml

CLASSES = [LandCoverClass(10, "Tree cover", "#006400"), LandCoverClass(80, "Water & ice", "#0064c8")]
NAMES = {10: "Tree cover", 80: "Water & ice"}


@pytest.fixture
def raster(tmp_path):
    return tmp_path / "map.tif"


def pam(raster, text):
    raster.with_name("map.tif.aux.xml").write_text(text, encoding="utf-8")


def test_names_of_our_own_maps(raster):
    pam(raster, aux_xml(CLASSES, {}))
    assert class_names(str(raster)) == NAMES


def test_category_names_alone(raster):
    pam(raster, "<PAMDataset><PAMRasterBand band='1'><CategoryNames><Category></Category><Category>One</Category>"
        "</CategoryNames></PAMRasterBand></PAMDataset>")  # fmt: skip
    assert class_names(str(raster)) == {1: "One"}


def test_style_of_qgis_with_its_doctype(raster):
    style = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + paletted_qml(CLASSES)
    raster.with_suffix(".qml").write_text(style, encoding="utf-8")
    assert class_names(str(raster)) == NAMES


def test_no_sidecar_file_gives_no_names(raster):
    assert class_names(str(raster)) == {} == class_names('NETCDF:"x.nc":class')


@pytest.mark.parametrize("tags, names", [(legend_tags(CLASSES), NAMES), ({LEGEND_TAG: "[[1]]"}, {})])
def test_names_stay_with_a_map_that_was_copied_alone(raster, tags, names):
    with rasterio.open(raster, "w", driver="GTiff", dtype="uint8", count=1, width=4, height=4) as file:
        file.update_tags(**tags)
    assert class_names(str(raster)) == names


BOMB = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><PAMDataset>&b;</PAMDataset>"


@pytest.mark.parametrize("text", ["<PAMDataset", "", BOMB, "<PAMDataset/>", "x" * (5 * 2**20)])
def test_broken_or_hostile_files_give_no_names(raster, text):
    pam(raster, text)
    assert class_names(str(raster)) == {}


def test_entities_cannot_hide_in_another_encoding(raster):
    hidden = ("<?xml version='1.0' encoding='utf-16'?>" + BOMB).encode("utf-16")
    raster.with_name("map.tif.aux.xml").write_bytes(hidden)
    assert class_names(str(raster)) == {}
