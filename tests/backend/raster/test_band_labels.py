"""Bands are named by tags, sources and names of files too, as tools leave them."""

import struct

import numpy as np
import pytest
import rasterio
from rasterio.shutil import copy

from backend.core.errors import InputError
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.raster.source import RasterSource
from backend.raster.virtual import scene_files

NAMES = ("VV", "VH")


def chosen(path, **options):
    with RasterSource(path, names=NAMES, **options) as source:
        return source.bands, source.found_by


@pytest.fixture
def swapped(scene_db):
    return scene_db(40, 50)[::-1].copy()


def vrt(path, names, band=1):
    """A virtual raster with a file for each band and no names, as gdalbuildvrt -separate makes it."""
    sources = "".join(
        f'<VRTRasterBand dataType="Float32" band="{n}"><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>{band}</SourceBand></SimpleSource>'
        "</VRTRasterBand>"
        for n, name in enumerate(names, 1)
    )
    path.write_text(f'<VRTDataset rasterXSize="50" rasterYSize="40">{sources}</VRTDataset>')
    return path


def snap(path, names, big=False, wrap=""):
    """Add SNAP's tag to a TIFF: a second directory at its end, which is the first one with the tag."""
    blocks = "".join(
        f"<Spectral_Band_Info><BAND_INDEX>{n}</BAND_INDEX><BAND_NAME>{name}</BAND_NAME></Spectral_Band_Info>"
        for n, name in enumerate(names)
    )
    virtual = (
        f"<Spectral_Band_Info><BAND_INDEX>{len(names)}</BAND_INDEX><BAND_NAME>Intensity_VV</BAND_NAME>"
        "<VIRTUAL_BAND>true</VIRTUAL_BAND></Spectral_Band_Info>"
    )
    text = f"{wrap}<Dimap_Document><Image_Interpretation>{blocks}{virtual}</Image_Interpretation></Dimap_Document>\0"
    data = bytearray(path.read_bytes())
    entry, number = ("<HHQQ", "<Q") if big else ("<HHII", "<H")
    at, place = (8, "<Q") if big else (4, "<I")
    start = struct.unpack_from(place, data, at)[0]
    count, size = struct.unpack_from(number, data, start)[0], struct.calcsize(entry)
    body = start + struct.calcsize(number)
    entries = bytes(data[body : body + count * size])
    data += b"\0" * (-len(data) % 8)
    where = len(data)
    data += text.encode() + b"\0" * (-len(text.encode()) % 8)
    struct.pack_into(place, data, at, len(data))
    data += struct.pack(number, count + 1) + entries + struct.pack(entry, 65000, 2, len(text), where) + bytes(8)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("big", [False, True])
def test_snaps_own_tag_names_the_bands_of_its_geotiff(make_raster, swapped, big):
    path = make_raster(swapped, descriptions=(), bigtiff="yes" if big else "no")
    assert chosen(path) == ((1, 2), "position")
    assert chosen(snap(path, ("Sigma0_VH", "Sigma0_VV"), big)) == ((2, 1), "names")


def test_a_tag_that_does_not_fit_or_is_hostile_names_nothing(make_raster, swapped):
    bomb = '<!DOCTYPE a [<!ENTITY a "VV"><!ENTITY b "&a;&a;">]>'
    assert chosen(snap(make_raster(swapped, "a.tif", ()), ("&b;", "&a;"), wrap=bomb))[1] == "position"
    assert chosen(snap(make_raster(swapped, "b.tif", ()), ("VH", "VV", "angle")))[1] == "position"
    path = make_raster(swapped, "c.tif", ())
    whole = snap(path, ("VH", "VV")).read_bytes()
    path.write_bytes(whole.replace(struct.pack("<HH", 65000, 2), struct.pack("<HH", 65000, 9)))
    assert chosen(path)[1] == "position"


def test_snaps_tag_of_another_polarisation_is_refused(make_raster, swapped):
    with pytest.raises(InputError, match="The raster has HH, HV"):
        chosen(snap(make_raster(swapped, descriptions=()), ("Sigma0_HH", "Sigma0_HV")))


def test_files_of_a_virtual_raster_name_its_bands(make_raster, swapped, tmp_path):
    for n, name in enumerate(("S1_VH", "S1_VV", "S1_inc_map")):
        make_raster(swapped[min(n, 1)][None], f"{name}.tif", ())
    assert chosen(vrt(tmp_path / "s.vrt", ("S1_VH.tif", "S1_VV.tif"))) == ((2, 1), "file names")
    assert chosen(vrt(tmp_path / "i.vrt", ("S1_inc_map.tif", "S1_VH.tif", "S1_VV.tif"))) == ((3, 2), "file names")
    (tmp_path / "VV").mkdir()
    (tmp_path / "VH").mkdir()
    for name in ("VV", "VH"):
        make_raster(swapped[:1], f"{name}/a.tif", ())
    assert chosen(vrt(tmp_path / "f.vrt", ("VH/a.tif", "VV/a.tif"))) == ((2, 1), "file names")


def test_descriptions_of_sources_name_bands_of_a_virtual_raster(make_raster, swapped, tmp_path):
    for name, text in (("a", "Sigma0_VH"), ("b", "Sigma0_VV")):
        make_raster(swapped[:1], f"{name}.tif", (text,))
    assert chosen(vrt(tmp_path / "s.vrt", ("a.tif", "b.tif"))) == ((2, 1), "file names")
    make_raster(swapped[:1], "b.tif", ("Sigma0_HV",))
    with pytest.raises(InputError, match="The raster has VH, HV"):
        chosen(vrt(tmp_path / "s.vrt", ("a.tif", "b.tif")))
    circular = vrt(tmp_path / "c.vrt", ("c.vrt", "c.vrt"))
    assert chosen(circular) == ((1, 2), "position")


def test_one_file_of_all_bands_does_not_name_them(make_raster, swapped, tmp_path):
    make_raster(swapped, "change_VV.tif", ())
    copy(tmp_path / "change_VV.tif", tmp_path / "v.vrt", driver="VRT")
    assert chosen(tmp_path / "v.vrt") == ((1, 2), "position")


@pytest.mark.parametrize(
    "first, second",
    [
        ("SIG0_S1A_IWGRDVH_20170131.tif", "SIG0_S1A_IWGRDVV_20170131.tif"),
        ("VH/20200101.tif", "VV/20200101.tif"),
        ("20200101/VH.tif", "20200101/VV.tif"),
        ("H1VHA.tif", "H1VVA.tif"),
    ],
)
def test_files_given_together_are_named_by_file_or_folder(make_raster, swapped, tmp_path, first, second):
    for name, plane in zip((first, second), swapped):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        make_raster(plane[None], name, ())
    assert chosen([str(tmp_path / first), str(tmp_path / second)]) == ((2, 1), "file names")


def test_files_of_two_dates_are_not_mixed(make_raster, swapped, tmp_path):
    one = str(make_raster(swapped[:1], "S1_20200101.tif", ("VH",)))
    other = str(make_raster(swapped[1:], "S1_20200113.tif", ("VV",)))
    with pytest.raises(InputError, match=r"several dates: 20200101 \(band 1 VH\), 20200113 \(band 2 VV\)"):
        chosen([one, other])


def test_coherence_in_a_file_or_folder_of_a_polarisation_is_told(make_raster, swapped, tmp_path):
    coherence = tmp_path / "coherence"
    coherence.mkdir()
    for name, text in (("S1_VV.tif", "coh"), ("coh_VV.tif", ""), ("coherence/VV.tif", "")):
        with pytest.raises(InputError, match="coherence"):
            chosen(make_raster(swapped[:1], name, (text,)), allows_missing=True)


def test_variables_of_netcdf_are_named(make_raster, swapped, tmp_path):
    for name, plane in zip(("VH", "sigma0_vv"), swapped):
        copy(make_raster(plane[None], f"{name}.tif", ()), tmp_path / f"{name}.nc", driver="netCDF")
    (tmp_path / "VH.nc").rename(tmp_path / "a.nc")
    with rasterio.open(tmp_path / "a.nc") as file:
        names = [file.tags(1).get("NETCDF_VARNAME"), file.subdatasets]
    assert names[0] == "Band1" or names[1]
    inside = f'NETCDF:"{tmp_path / "a.nc"}":Band1'
    assert RasterSource(inside).bands == (1,)


def test_variable_of_a_subdataset_names_its_band():
    from backend.raster.band_labels import _own_name

    assert _own_name('NETCDF:"/data/x.nc":VH') == ("VH", "names")
    assert _own_name('HDF5:"/data/x.h5"://science/grids/VV') == ("VV", "names")
    assert _own_name("C:/data/VV.tif") == ("VV", "file names")
    assert _own_name("/vsicurl/https://x.y/a/VV.tif?sig=VH") == ("VV", "file names")


def test_map_by_names_is_the_map_of_named_bands(make_raster, scene_db, tiny_model, tmp_path):
    db = scene_db(60, 70)
    maps = []
    pairs = [str(make_raster(db[n][None], f"IWGRD{name}.tif", ())) for n, name in enumerate(NAMES)]
    glued = str(make_raster(db[::-1], "glued.tif", ("H1VHA", "H1VVA")))
    for files in ([str(make_raster(db))], pairs[::-1], [glued]):
        landcover(Request(files[0], tmp_path / "o.tif", tiny_model, further=files[1:], overwrite=True, device="cpu"))
        with rasterio.open(tmp_path / "o.tif") as file:
            maps.append(file.read(1))
    assert np.array_equal(maps[0], maps[1]) and np.array_equal(maps[0], maps[2])
    assert len(np.unique(maps[0])) > 1


def test_pattern_over_folders_of_polarisations_pairs_them(make_raster, swapped, tmp_path):
    for name in NAMES:
        (tmp_path / name).mkdir()
        make_raster(swapped[:1], f"{name}/20200101.tif", ())
    assert chosen(scene_files(str(tmp_path / "V?" / "*.tif"))) == ((2, 1), "file names")
