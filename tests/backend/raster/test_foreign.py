"""What is no raster is called what it is, with what to do."""

import shutil
import zipfile

import numpy as np
import pytest
import rasterio
from rasterio.shutil import copy

from backend.core.errors import InputError
from backend.raster.source import RasterSource

NAMES = ("VV", "VH")


def refused(path):
    with pytest.raises(InputError) as refusal:
        RasterSource(path, names=NAMES)
    return f"{refusal.value.message.rstrip('.')} | {refusal.value.hint}"


def cut_zip(folder):
    with zipfile.ZipFile(folder / "whole.zip", "w") as archive:
        archive.writestr("S1A_X.SAFE/manifest.safe", "x" * 5000)
    (folder / "a.zip").write_bytes((folder / "whole.zip").read_bytes()[:-50])
    return folder / "a.zip"


def written(name, content=b"x" * 100):
    def write(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return write


def zipped(*names):
    def write(folder):
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            for name in names:
                archive.writestr(name, "x")
        return folder / "a.zip"

    return write


def foldered(*names):
    def write(folder):
        for name in names:
            (folder / "up" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "up" / name).write_bytes(b"x")
        return folder / "up"

    return write


CASES = {
    "cut-off zip": (cut_zip, "damaged or cut off | Copy or download"),
    "zip of a raster": (zipped("a/vv.tif"), "a zip that holds a/vv.tif | Unpack it, or give /vsizip/"),
    "zip of nothing": (zipped("readme"), "a zip without rasters"),
    "zip of products": (zipped("x/S1A.SAFE/manifest.safe"), "a zip with Sentinel-1 products"),
    "above a product": (foldered("S1A_X.SAFE/manifest.safe"), "holds a Sentinel-1 product, S1A_X.SAFE | Give "),
    "two above": (foldered("S1A_X/S1A_X.SAFE/manifest.safe"), "holds a Sentinel-1 product, S1A_X.SAFE | Give "),
    "zip in a folder": (foldered("S1A_IW.zip"), "holds a Sentinel-1 product"),
    "several products": (foldered("A.SAFE/manifest.safe", "B.SAFE/manifest.safe"), "2 Sentinel-1 products | Give one"),
    "folder of rasters": (foldered("VV.tif", "VH.tif"), "a folder with 2 rasters (VH.tif, VV.tif) | Give one, or"),
    "empty folder": (foldered("a.doc"), "a folder without rasters"),
    "kmz": (written("a.kmz"), "a picture for Google Earth"),
    "project": (written("a.qgz"), "a QGIS project"),
    "unfinished": (written("a.tif.crdownload"), "an unfinished download"),
    "empty": (written("a.tif", b""), "an empty file | Copy or download"),
    "web page": (written("a.tif", b"\n<!DOCTYPE html><html>"), "a web page | The download went wrong"),
    "pointer": (written("a.tif", b"version https://git-lfs.github.com/spec/v1"), "Git LFS"),
    "cut TIFF": (written("a.tif", b"II*\0" + bytes(3)), "a TIFF that is damaged or cut off"),
    "header": (
        lambda folder: [written("a.img")(folder), written("a.hdr")(folder)][1],
        "a file that goes with a.img | Give ",
    ),
    "statistics": (
        lambda folder: [written("a.tif")(folder), written("a.tif.aux.xml")(folder)][1],
        "a file that goes with a.tif | Give ",
    ),
    "text": (written("notes.tif", b"no raster"), "is not a raster that GDAL can open | Give a raster"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_raster_is_called_what_it_is(tmp_path, case):
    make, text = CASES[case]
    assert text in refused(make(tmp_path))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_a_picture_is_refused_as_such(cli, tiny_model, tmp_path, kind):
    picture = tmp_path / "quicklook.tif"  # the ending doesn't matter
    bands = 1 if kind == "GIF" else 3
    grey = np.random.default_rng(0).integers(0, 255, (bands, 32, 32)).astype(np.uint8)
    with rasterio.open(picture, "w", driver=kind, count=bands, height=32, width=32, dtype="uint8") as file:
        file.write(grey)
    code, _, err = cli("landcover", picture, tmp_path / "o.tif", "--model", tiny_model)
    assert code == 1 and f"is a picture ({'WebP' if kind == 'WEBP' else kind}), not a radar raster" in err
    assert "Give the GeoTIFF of VV and VH" in err and not (tmp_path / "o.tif").exists()
    assert "is a picture" in cli("info", picture, "--model", tiny_model)[1]


def test_raw_values_are_no_picture(cli, tiny_model, make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(40, 40), "raw.img", driver="ENVI")
    scene.write_bytes(b"BM" + scene.read_bytes()[2:])
    assert cli("landcover", scene, tmp_path / "o.tif", "--model", tiny_model)[0] == 0


@pytest.mark.parametrize(
    "variables, said", [(("VV", "VH"), "of backscatter: VV1, VH2"), (("a", "b"), "holds 2 rasters")]
)
def test_rasters_in_hdf5_are_named_with_their_place(make_raster, scene_db, tmp_path, variables, said):
    """GDAL's driver of this ending knows no places; its netCDF driver does."""
    path, db = tmp_path / "rtc.h5", scene_db(20, 30)
    source = make_raster(db)
    with rasterio.open(source, "r+") as file:
        for band, name in enumerate(variables, 1):
            file.update_tags(band, NETCDF_VARNAME=name)
    copy(source, tmp_path / "x.nc", driver="netCDF", FORMAT="NC4")
    (tmp_path / "x.nc").rename(path)
    names = [f'NETCDF:"{path}":/{name}{band}' for band, name in enumerate(variables, 1)]
    text = refused(path)
    assert said in text and all(name in text for name in names)
    with RasterSource(names) as source:
        assert source.grid.crs.to_epsg() == 32630
        np.testing.assert_array_equal(source.read(0, 20)[0], db)


def test_images_of_a_snap_product_are_read(snap, scene_db):
    for given in (snap("Sigma0_VV", "Sigma0_VH"), snap("Sigma0_VV", "Sigma0_VH").with_suffix(".data")):
        with RasterSource(given, names=NAMES) as source:
            values, _ = source.read(0, 30)
            assert "SNAP product" in source.notes[0][1]
        np.testing.assert_array_equal(values, scene_db(30, 40))


@pytest.fixture
def snap(make_raster, scene_db, tmp_path):
    """Write images of a .dim, the first band of a scene for each VV."""

    def write(*names, **place):
        folder = tmp_path / "s.data"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (tmp_path / "s.dim").write_text("<Dimap_Document/>")
        for name in names:
            band = scene_db(30, 40)[[0 if "VV" in name else 1]]
            make_raster(band, f"s.data/{name}.img", (), driver="ENVI", **place)
        return tmp_path / "s.dim"

    return write


@pytest.mark.parametrize(
    "names, text",
    [
        (("Intensity_VV", "Intensity_VH"), "without Sigma0 or Gamma0"),
        (("Sigma0_VV_mst_01Jan2024", "Sigma0_VV_slv1_13Jan2024"), "several images of one polarisation"),
        ((), "its images: none"),
    ],
)
def test_snap_products_without_one_backscatter_are_refused(snap, names, text):
    assert text in refused(snap(*names))


def test_snap_products_off_the_map_are_refused(snap):
    assert "Terrain Correction" in refused(
        snap("Sigma0_VV", "Sigma0_VH", crs=None, transform=rasterio.Affine.identity())
    )


def test_a_snap_header_without_its_folder_is_refused(snap):
    path = snap("Sigma0_VV")
    shutil.rmtree(path.with_suffix(".data"))
    assert "s.data is missing | In SNAP: File > Export > GeoTIFF" in refused(path)


def test_gamma0_of_a_snap_product_comes_before_sigma0(snap):
    path = snap("Sigma0_VV", "Sigma0_VH", "Gamma0_VV", "Gamma0_VH")
    with RasterSource(path, names=NAMES) as source:
        assert "Gamma0_VV" in source.notes[0][1] and "Sigma0" not in source.notes[0][1]
