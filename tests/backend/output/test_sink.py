import os

import numpy as np
import pytest
import rasterio

from backend.card.model_card import LandCoverClass
from backend.core.errors import ResourceError
from backend.output.sink import Layer
from backend.output.styles import aux_xml
from tests.support.sinks import write

CLASSES = (LandCoverClass(10, "Tree & bush", "#006400"), LandCoverClass(80, "Water", "#0064c8"))


def test_rows_overviews_colours_and_names_are_in_the_file(tmp_path):
    values = np.random.default_rng(0).choice([0, 10, 80], (1, 700, 600)).astype(np.uint8)
    sink = write(tmp_path / "o.tif", values)
    assert not (tmp_path / "o.tif").exists()
    sink.finish()
    sink.files.add_sidecar(".aux.xml", aux_xml(CLASSES, {"DATE": "today"}))
    sink.commit()
    with rasterio.open(tmp_path / "o.tif") as file:
        np.testing.assert_array_equal(file.read(), values)
        assert file.profile["tiled"] and file.profile["compress"] == "deflate"
        assert file.overviews(1) == [2, 4]
        assert file.nodata == 0
        assert file.colormap(1)[80][:3] == (0, 100, 200)
        assert file.descriptions == ("land cover",)
        assert file.tags()["SARDINO_MODEL"] == "m"
        assert file.tags()["DATE"] == "today"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.tif", "o.tif.aux.xml"]


def test_category_names_are_what_gdal_reads(tmp_path):
    gdal = pytest.importorskip("osgeo.gdal")
    sink = write(tmp_path / "o.tif", np.full((1, 3, 3), 10, dtype=np.uint8))
    sink.finish()
    sink.files.add_sidecar(".aux.xml", aux_xml(CLASSES, {}))
    sink.commit()
    file = gdal.Open(str(tmp_path / "o.tif"))
    band = file.GetRasterBand(1)
    table = band.GetDefaultRAT()  # makes GDAL 3.6 read the .aux.xml
    names = band.GetCategoryNames()
    assert names[10] == "Tree & bush" and names[80] == "Water"
    assert [table.GetValueAsInt(row, 0) for row in range(table.GetRowCount())] == [10, 80]


def test_equal_rows_in_any_portions_make_equal_files(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 600, 300)).astype(np.float32)
    layer = Layer("float32", np.nan, ["a", "b", "c"])
    for step in (7, 256, 600):
        sink = write(tmp_path / f"{step}.tif", values, step, layer)
        sink.finish()
        sink.commit()
    assert len({(tmp_path / f"{step}.tif").read_bytes() for step in (7, 256, 600)}) == 1


def test_a_truncated_file_does_not_get_its_name(tmp_path):
    path = tmp_path / "o.tif"
    values = np.random.default_rng(0).integers(1, 250, (1, 900, 900)).astype(np.uint8)
    sink = write(path, values)
    sink._file.close()
    os.truncate(sink.files.part, sink.files.part.stat().st_size // 2)
    with pytest.raises(ResourceError):
        sink.finish()
    sink.discard()
    assert not list(tmp_path.iterdir())


def test_damage_found_by_overviews_is_refused(tmp_path):
    values = np.random.default_rng(0).random((1, 1200, 1200), np.float32)
    sink = write(tmp_path / "o.tif", values, layer=Layer("float32", np.nan, ["a"]))
    sink._file.close()
    with rasterio.open(sink.files.part) as file:
        start = int(file.get_tag_item("BLOCK_OFFSET_1_1", "TIFF", bidx=1))
    with sink.files.part.open("r+b") as file:
        file.seek(start)
        file.write(bytes(3000))
    with pytest.raises(ResourceError, match="can't be written"):
        sink.finish()
    sink.discard()
    assert not list(tmp_path.iterdir())


def test_bands_of_bytes_are_neither_colours_nor_transparency(tmp_path):
    gdal = pytest.importorskip("osgeo.gdal")
    for count in (1, 3, 4, 5):
        values = np.random.default_rng(0).integers(0, 2, (count, 600, 20)).astype(np.uint8)
        sink = write(tmp_path / f"{count}.tif", values, layer=Layer("uint8", 255, [str(n) for n in range(count)]))
        sink.finish()
        sink.commit()
        file = gdal.Open(str(tmp_path / f"{count}.tif"))
        kinds = [file.GetRasterBand(n).GetColorInterpretation() for n in range(1, count + 1)]
        assert kinds == [gdal.GCI_GrayIndex, *[gdal.GCI_Undefined] * (count - 1)]
        assert file.GetRasterBand(1).GetMaskFlags() == gdal.GMF_NODATA
