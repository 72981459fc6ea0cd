import os
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from backend.card import LandCoverClass
from backend.errors import InputError, ResourceError
from backend.grid import Grid
from backend.legend import aux_xml
from backend.output_path import check_output, temporary
from backend.sink import Layer, RasterSink

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


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ResourceError, match="can't be written"):
            check_output(tmp_path / "o.tif", "in.tif", overwrite=False)
    finally:
        tmp_path.chmod(0o700)
