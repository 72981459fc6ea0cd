from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from backend.core.errors import InputError
from backend.raster.bands import acquisition, pick_bands
from backend.raster.grid import Grid
from backend.raster.sampling import sample_values
from backend.raster.source import RasterSource, gdal_environment
from tests.support.geotiffs import write_large

NAMES = ("VV", "VH")


@pytest.mark.parametrize(
    "descriptions, bands",
    [
        (("VV", "VH"), (1, 2)),
        (("VH", "VV"), (2, 1)),
        (("Sigma0_VH_db", "sigma0_vv_db"), (2, 1)),
        (("angle", "Gamma0_VH_db", "Gamma0_VV_db"), (3, 2)),
        (("VV/VH", "VH", "VV"), (3, 2)),
        ((None, None), (1, 2)),
        (("a", "b", "c"), (1, 2)),
    ],
)
def test_bands_are_found_by_description_else_by_position(descriptions, bands):
    usable = range(1, len(descriptions) + 1)
    assert pick_bands(descriptions, usable, NAMES, None)[0] == bands


def test_bands_of_seasons_and_coherence_are_told_from_plain_polarisations():
    names = ("vv_winter", "VH_winter", "VV_summer", "VH_summer", "coh_VV")
    descriptions = ("coh_VV", "VH_summer", "VV_Summer", "VH_WINTER", "VV_winter")
    assert pick_bands(descriptions, range(1, 6), names, None)[0] == (5, 4, 3, 2, 1)
    assert pick_bands(("coh_VV", "VH", "VV"), range(1, 4), ("VV", "VH", "coh_VV"), None)[0] == (3, 2, 1)


def test_bands_of_one_date_share_an_acquisition():
    dates = [acquisition(name) for name in ("VV_winter_asc", "vh_winter_asc", "VV_summer_asc", "VV", "VH")]
    assert dates == ["winter_asc", "winter_asc", "summer_asc", "", ""]


@pytest.mark.parametrize(
    "descriptions, requested, text",
    [
        (("VV",), None, "VH"),
        ((None,), None, "1 band;"),
        (("VV", "VH"), (1,), "1 band numbers"),
        (("VV", "VH"), (1, 3), "no band 3"),
        (("VV", "VH"), (1, 1), "Band 1 is given for VV and VH"),
        (("VV_before", "VV_after"), None, "no band VH"),
    ],
)
def test_bands_that_do_not_fit_are_refused_with_a_hint(descriptions, requested, text):
    with pytest.raises(InputError, match=text) as refusal:
        pick_bands(descriptions, range(1, len(descriptions) + 1), NAMES, requested)
    assert refusal.value.hint


def test_scale_offset_and_nodata_of_whole_numbers(make_raster):
    path = make_raster(np.array([[[-1250, -32768]], [[-2000, -2100]]], dtype=np.int16), nodata=-32768)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.01, 0.01), (0.0, 1.0)
    with RasterSource(path, names=NAMES) as source:
        values, valid = source.read(0, 1)
    np.testing.assert_allclose(values[:, 0, 0], (-12.5, -19.0), rtol=1e-6)
    assert valid.tolist() == [[True, False]]
    assert values.dtype == np.float32


def test_invalid_is_nan_infinite_nodata_and_masked(make_raster):
    values = np.full((2, 1, 6), -10, dtype=np.float32)
    values[0, 0, 0], values[1, 0, 1], values[0, 0, 2] = np.nan, np.inf, np.finfo(np.float32).min
    path = make_raster(values, nodata=float(np.finfo(np.float32).min))
    with RasterSource(path, names=NAMES) as source:
        assert source.read(0, 1)[1].tolist() == [[False, False, False, True, True, True]]
    path = make_raster(values, "masked.tif")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask(np.array([[1, 1, 1, 1, 1, 0]], dtype=bool))
    with RasterSource(path, names=NAMES) as source:
        assert source.read(0, 1)[1].tolist() == [[False, False, True, True, True, False]]


def test_an_alpha_band_masks_and_is_not_taken_for_data(make_raster):
    values = np.array([[[5, 5]], [[5, 5]], [[255, 0]]], dtype=np.uint8)
    path = make_raster(values, descriptions=())
    with rasterio.open(path, "r+") as file:
        file.colorinterp = (ColorInterp.gray, ColorInterp.undefined, ColorInterp.alpha)
    with RasterSource(path, names=NAMES) as source:
        assert source.bands == (1, 2)
        assert source.read(0, 1)[1].tolist() == [[True, False]]


def test_an_extent_takes_the_pixels_it_touches(make_raster, scene_db):
    path = make_raster(scene_db(40, 50))
    with RasterSource(path, names=NAMES, extent=(500101, 4599701, 500199, 4599895)) as source:
        assert (source.grid.width, source.grid.height) == (10, 20)
        assert (source.grid.transform.c, source.grid.transform.f) == (500100, 4599900)
        np.testing.assert_array_equal(source.read(0, 20)[0], scene_db(40, 50)[:, 10:30, 10:20])
    for extent in ((0, 0, 1, 1), (500100, 4599900, 500000, 4599950)):
        with pytest.raises(InputError):
            RasterSource(path, names=NAMES, extent=extent)


@pytest.mark.parametrize(
    "crs, transform, metres",
    [
        ("EPSG:32630", from_origin(5e5, 4e6, 10, 10), (10, 10)),
        ("EPSG:32630", rasterio.Affine(8, 6, 5e5, 6, -8, 4e6), (10, 10)),
        ("EPSG:4326", from_origin(10, 60.005, 1e-4, 1e-4), (5.58, 11.14)),
        ("EPSG:3857", from_origin(0, 8399737.9, 10, 10), (5.0, 5.0)),
        ("EPSG:2263", from_origin(9e5, 2e5, 32.80833, 32.80833), (10, 10)),
        (None, from_origin(5e5, 4e6, 10, 10), None),
    ],
)
def test_pixel_size_in_metres(crs, transform, metres):
    grid = Grid(rasterio.crs.CRS.from_string(crs) if crs else None, transform, 100, 100)
    if metres is None:
        assert grid.pixel_metres() is None
    else:
        assert grid.pixel_metres() == pytest.approx(metres, rel=0.01)


@pytest.fixture
def gcp_scene(tmp_path):
    """Ground control points of a slightly turned scene of 60 x 80 pixels of 0.0001 degrees, and no transform."""
    to_lonlat = rasterio.Affine(1e-4, 1e-5, 20.0, -1e-5, -1e-4, 45.0)
    points = [
        GroundControlPoint(row=row, col=col, x=(to_lonlat * (col, row))[0], y=(to_lonlat * (col, row))[1])
        for row in (0, 30, 60)
        for col in (0, 40, 80)
    ]
    path = tmp_path / "gcp.tif"
    profile = {"driver": "GTiff", "dtype": "float32", "count": 2, "height": 60, "width": 80}
    with rasterio.open(path, "w", gcps=points, crs="EPSG:4326", **profile) as file:
        file.write(np.full((2, 60, 80), -12, dtype=np.float32))
    return path


def test_ground_control_points_give_a_grid_with_nodata_around_it(gcp_scene):
    with RasterSource(gcp_scene, names=NAMES) as source:
        grid = source.grid
        assert grid.crs.to_epsg() == 4326
        assert grid.bounds()[0] == pytest.approx(20.0, abs=1e-3)
        assert any("control points" in message for _, message in source.notes)
        values, valid = source.read(0, grid.height)
    assert 0.7 < valid.mean() < 0.99
    assert (values[:, valid] == -12).all()


@pytest.mark.parametrize("nodata", [None, -9999.0])
def test_ground_control_points_beside_an_alpha_band(gcp_scene, tmp_path, nodata):
    with rasterio.open(gcp_scene) as plain:
        points, crs = plain.gcps
        profile = {**plain.profile, "count": 3, "nodata": nodata, "transform": None}
    path = tmp_path / "alpha.tif"
    with rasterio.open(path, "w", gcps=points, crs=crs, **{k: v for k, v in profile.items() if k != "crs"}) as file:
        file.colorinterp = (ColorInterp.gray, ColorInterp.undefined, ColorInterp.alpha)
        file.write(np.full((2, 60, 80), -12, dtype=np.float32), [1, 2])
        alpha = np.full((60, 80), 255, dtype=np.float32)
        alpha[:, :20] = 0
        file.write(alpha, 3)
    with RasterSource(path, names=NAMES) as source:
        values, valid = source.read(0, source.grid.height)
    assert source.bands == (1, 2)
    assert 0.5 < valid.mean() < 0.8
    assert (values[:, valid] == -12).all()


def test_points_that_give_no_grid_are_refused(tmp_path):
    path = tmp_path / "gcp.tif"
    same = [GroundControlPoint(row=5, col=5, x=20, y=45)] * 4
    with rasterio.open(path, "w", "GTiff", 80, 60, 2, "EPSG:4326", None, "float32", gcps=same) as file:
        file.write(np.full((2, 60, 80), -12, dtype=np.float32))
    with pytest.raises(InputError, match="control points") as refusal:
        RasterSource(path, names=NAMES)
    assert refusal.value.hint


def test_bands_of_different_types_keep_their_own_nodata(tmp_path, make_raster):
    vv = make_raster(np.array([[[-12, -3.4e38, -12, np.nan]]], dtype=np.float32), "vv.tif", nodata=-3.4e38)
    vh = make_raster(np.array([[[-19, -19, 1e-3, -19]]], dtype=np.float64), "vh.tif", nodata=1e-3)
    path = tmp_path / "both.vrt"
    with rasterio.open(vv) as file:
        wkt, transform = file.crs.wkt.replace('"', "&quot;"), ", ".join(map(str, file.transform.to_gdal()))
    bands = "".join(
        f'<VRTRasterBand dataType="{kind}" band="{number}"><NoDataValue>{nodata}</NoDataValue><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">{name}.tif</SourceFilename><SourceBand>1</SourceBand>'
        "</SimpleSource></VRTRasterBand>"
        for number, name, kind, nodata in ((1, "vv", "Float32", -3.4e38), (2, "vh", "Float64", 1e-3))
    )
    path.write_text(
        f'<VRTDataset rasterXSize="4" rasterYSize="1"><SRS>{wkt}</SRS><GeoTransform>{transform}</GeoTransform>'
        f"{bands}</VRTDataset>"
    )
    assert vh.exists()
    with RasterSource(path, names=NAMES) as source:
        values, valid = source.read(0, 1)
    assert values.dtype == np.float32 and values[:, 0, 0].tolist() == [-12, -19]
    assert valid.tolist() == [[True, False, False, False]]


def test_units_are_sampled_from_the_whole_raster_unless_only_the_extent_holds_data(make_raster, scene_db):
    scene = scene_db(200, 200)
    extent = (500000, 4599900, 500100, 4600000)
    with RasterSource(make_raster(scene), names=NAMES, extent=extent) as source:
        assert sample_values(source)[1].sum() > 64 * 64
        np.testing.assert_array_equal(source.read(0, 10)[0], scene[:, :10, :10])
    # Valid only between the windows that are spread over the whole.
    tall = np.full((2, 2000, 200), np.nan, np.float32)
    tall[:, 70:75, 5] = -7
    extent = (500000, 4600000 - 900, 500100, 4600000 - 600)
    with RasterSource(make_raster(tall), names=NAMES, extent=extent) as source:
        sample, valid = sample_values(source)
        assert (sample[:, valid] == -7).all() and valid.any()


def test_sample_finds_the_only_valid_pixel_and_refuses_none(make_raster):
    values = np.full((2, 700, 700), np.nan, dtype=np.float32)
    empty = make_raster(values, "empty.tif")
    values[:, 333, 222] = -9
    with RasterSource(make_raster(values), names=NAMES) as source:
        sample, valid = sample_values(source)
        assert (sample[:, valid] == -9).all()
        assert valid.sum() == 1
    with RasterSource(empty, names=NAMES) as source, pytest.raises(InputError, match="no valid pixel"):
        sample_values(source)


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="no count of what is read there")
@pytest.mark.parametrize("width", [5000, 5120])
def test_strips_that_begin_inside_a_block_do_not_decode_it_again(tmp_path, width):
    # More than the least cache holds, so that the size asked for counts.
    path, rows = tmp_path / "wide.tif", 1024
    write_large(path, rows, width)

    def read_so_far() -> int:
        fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        return int(fields["rchar"])

    with gdal_environment(), RasterSource(path) as source, gdal_environment(source.cache_bytes()):
        before = read_so_far()
        for top in range(0, rows - 128, 112):
            source.read(top, top + 128)
        assert read_so_far() - before < 1.1 * path.stat().st_size
