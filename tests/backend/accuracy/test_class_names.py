"""Test class names from sidecar files, and files that must not be parsed."""

import pytest

from backend.accuracy.class_names import class_names
from backend.card.model_card import LandCoverClass
from backend.output.styles import aux_xml, paletted_qml

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


BOMB = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><PAMDataset>&b;</PAMDataset>"


@pytest.mark.parametrize("text", ["<PAMDataset", "", BOMB, "<PAMDataset/>", "x" * (5 * 2**20)])
def test_broken_or_hostile_files_give_no_names(raster, text):
    pam(raster, text)
    assert class_names(str(raster)) == {}


def test_entities_cannot_hide_in_another_encoding(raster):
    hidden = ("<?xml version='1.0' encoding='utf-16'?>" + BOMB).encode("utf-16")
    raster.with_name("map.tif.aux.xml").write_bytes(hidden)
    assert class_names(str(raster)) == {}
