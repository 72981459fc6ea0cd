import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from backend.card.model_card import LandCoverClass
from backend.core.errors import InputError, ResourceError
from backend.core.partial_files import temporary
from backend.raster.grid import Grid
from backend.raster.output_names import check_distinct, check_output
from backend.raster.sink import Layer, RasterSink
from backend.raster.styles import aux_xml

CLASSES = (LandCoverClass(10, "Tree & bush", "#006400"), LandCoverClass(80, "Water", "#0064c8"))
LAYER = Layer("uint8", 0, ["land cover"], {10: (0, 100, 0), 80: (0, 100, 200)}, {"SARDINO_MODEL": "m"})


def grid(height, width):
    return Grid(CRS.from_epsg(32630), from_origin(5e5, 4e6, 10, 10), width, height)


def write(path, values, step=37, layer=LAYER):
    sink = RasterSink(path, grid(*values.shape[1:]), layer)
    for top in range(0, values.shape[1], step):
        sink.write(values[:, top : top + step])
    return sink


def test_rows_overviews_colours_and_names_are_in_the_file(tmp_path):
    values = np.random.default_rng(0).choice([0, 10, 80], (1, 700, 600)).astype(np.uint8)
    sink = write(tmp_path / "o.tif", values)
    assert not (tmp_path / "o.tif").exists()
    sink.finish()
    sink.add_sidecar(".aux.xml", aux_xml(CLASSES, {"DATE": "today"}))
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
    sink.add_sidecar(".aux.xml", aux_xml(CLASSES, {}))
    sink.commit()
    file = gdal.Open(str(tmp_path / "o.tif"))
    band = file.GetRasterBand(1)
    table = band.GetDefaultRAT()  # GDAL 3.6 looks into the .aux.xml only when something makes it
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


def test_discarding_keeps_the_older_file(tmp_path):
    (tmp_path / "o.tif").write_bytes(b"older")
    sink = write(tmp_path / "o.tif", np.zeros((1, 300, 300), dtype=np.uint8))
    sink.discard()
    assert [p.name for p in tmp_path.iterdir()] == ["o.tif"]
    assert (tmp_path / "o.tif").read_bytes() == b"older"


def test_a_file_cut_short_behind_our_back_is_not_given_its_name(tmp_path):
    path = tmp_path / "o.tif"
    values = np.random.default_rng(0).integers(1, 250, (1, 900, 900)).astype(np.uint8)
    sink = write(path, values)
    sink._file.close()
    os.truncate(temporary(path), temporary(path).stat().st_size // 2)
    with pytest.raises(ResourceError):
        sink.finish()
    sink.discard()
    assert not list(tmp_path.iterdir())


def test_damage_found_by_overviews_is_refused(tmp_path):
    sink = write(tmp_path / "o.tif", np.random.default_rng(0).choice([0, 10, 80], (1, 1200, 1200)).astype(np.uint8))
    sink._file.close()
    with rasterio.open(sink.part) as file:
        start = int(file.get_tag_item("BLOCK_OFFSET_1_1", "TIFF", bidx=1))
    with sink.part.open("r+b") as file:
        file.seek(start)
        file.write(bytes(3000))
    with pytest.raises(ResourceError, match="can't be written"):
        sink.finish()
    sink.discard()
    assert not list(tmp_path.iterdir())


def test_stale_temporaries_of_dead_processes_are_removed_and_others_kept(tmp_path):
    path = tmp_path / "o.tif"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ours = temporary(path).name
    stale = tmp_path / ours.replace(str(os.getpid()), str(dead.pid))
    living = tmp_path / ours.replace(str(os.getpid()), str(os.getppid()))
    other = tmp_path / ours.replace("o.tif", "other.tif", 1)
    for file in (stale, living, other):
        file.touch()
    check_output(path, "in.tif", overwrite=False)
    assert not stale.exists() and living.exists() and other.exists()


def test_outputs_that_cannot_be_are_refused_before_any_work(tmp_path):
    path = tmp_path / "o.tif"
    path.touch()
    with pytest.raises(InputError, match="exists"):
        check_output(path, "in.tif", overwrite=False)
    check_output(path, "in.tif", overwrite=True)
    with pytest.raises(InputError, match="is the input"):
        check_output(path, str(path), overwrite=True)
    with pytest.raises(InputError, match="no folder"):
        check_output(tmp_path / "none" / "o.tif", "in.tif", overwrite=False)
    with pytest.raises(InputError, match="is a folder"):
        check_output(tmp_path, "in.tif", overwrite=True)


@pytest.fixture
def nobody():
    """Root may write anywhere, so what only others are refused is tried as another user."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such permission on folders")
def test_a_read_only_folder_is_refused(nobody):
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o500)
    try:
        with pytest.raises(ResourceError, match="can't be written"):
            check_output(folder / "o.tif", "in.tif", overwrite=False)
    finally:
        folder.rmdir()


def test_what_this_process_writes_is_not_stale_but_what_bears_its_number_otherwise_is(tmp_path):
    path = tmp_path / "o.tif"
    leftovers = [temporary(path), temporary(tmp_path / "o.qml"), temporary(tmp_path / "o.tif.aux.xml")]
    for file in leftovers:
        file.touch()
    check_output(path, "in.tif", overwrite=False)
    assert list(tmp_path.iterdir()) == []
    sink = write(path, np.zeros((1, 300, 300), dtype=np.uint8))
    with pytest.raises(ResourceError):
        check_output(path, "in.tif", overwrite=False)
    sink.finish()
    sink.commit()
    assert [p.name for p in tmp_path.iterdir()] == ["o.tif"]


def test_sidecars_that_cannot_be_written_leave_the_older_raster(tmp_path):
    path = tmp_path / "o.tif"
    path.write_bytes(b"older")
    sink = write(path, np.zeros((1, 30, 30), dtype=np.uint8))
    sink.finish()
    sink.add_sidecar(".qml", "new")
    sink.add_sidecar(".aux.xml", "\ud800")  # can't be encoded
    with pytest.raises(UnicodeEncodeError):
        sink.commit()
    sink.discard()
    assert [p.name for p in tmp_path.iterdir()] == ["o.tif"] and path.read_bytes() == b"older"


def test_a_raster_that_cannot_be_replaced_keeps_its_sidecars(tmp_path, monkeypatch):
    path, style = tmp_path / "o.tif", tmp_path / "o.qml"
    path.write_bytes(b"older")
    style.write_text("older")
    sink = write(path, np.zeros((1, 30, 30), dtype=np.uint8))
    sink.finish()
    sink.add_sidecar(".qml", "new")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", held)
        with pytest.raises(ResourceError):
            sink.commit()
    sink.discard()
    assert path.read_bytes() == b"older" and style.read_text() == "older"


def held(source, target):
    raise PermissionError(13, "The process cannot access the file")


@pytest.mark.parametrize("name", ["o.tif", "o.qml", "o.tif.aux.xml", "o.tif.ovr"])
def test_files_that_another_program_holds_are_found_before_any_work(tmp_path, monkeypatch, name):
    (tmp_path / "o.tif").touch()
    (tmp_path / name).touch()
    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(ResourceError, match="another program") as refusal:
        check_output(tmp_path / "o.tif", "in.tif", overwrite=True)
    assert "QGIS" in refusal.value.hint


@pytest.mark.parametrize("beside", ["s1.qml", "s1.tif.aux.xml"])
def test_files_beside_an_output_that_is_new_are_not_replaced_unasked(tmp_path, beside):
    (tmp_path / beside).touch()
    with pytest.raises(InputError, match=beside):
        check_output(tmp_path / "s1.tif", "in.tif", overwrite=False)
    check_output(tmp_path / "s1.tif", "in.tif", overwrite=True)


def test_the_style_of_another_raster_is_never_replaced(tmp_path):
    for name in ("s1.qml", "s1.img"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"style of s1\.img"):
        check_output(tmp_path / "s1.tif", "in.tif", overwrite=True)


def test_an_output_may_not_share_its_style_with_the_input(tmp_path):
    (tmp_path / "s1.img").touch()
    with pytest.raises(InputError, match="style"):
        check_output(tmp_path / "s1.tif", str(tmp_path / "s1.img"), overwrite=True)


def test_one_file_under_two_names_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="same path"):
        check_distinct([tmp_path / "o.tif", tmp_path / "folder" / ".." / "o.tif"])
    with pytest.raises(InputError, match=r"share one style, o\.qml"):
        check_distinct([tmp_path / "o.tif", tmp_path / "o.tiff"])
    check_distinct([tmp_path / "a.tif", tmp_path / "b.tif", tmp_path / "folder" / "a.tif"])
    (tmp_path / "s.tif").touch()
    with pytest.raises(InputError, match="is the input"):
        check_output(tmp_path / "folder" / ".." / "s.tif", "s.tif", overwrite=True)


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
