from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from backend.core.errors import InputError
from backend.raster.blocks import row_parts
from backend.raster.source import RasterSource, gdal_environment
from tests.support.geotiffs import write_large

NAMES = ("VV", "VH")


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


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="no count of what is read there")
@pytest.mark.parametrize("width", [5000, 5120])
def test_blocks_across_strips_are_decoded_once(tmp_path, width):
    # More than the smallest cache holds, so that the requested size matters.
    path, rows = tmp_path / "wide.tif", 1024
    write_large(path, rows, width)

    def read_so_far() -> int:
        fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        return int(fields["rchar"])

    with gdal_environment(), RasterSource(path) as source, gdal_environment(source.cache_bytes(resampled=False)):
        before = read_so_far()
        for top in range(0, rows - 128, 112):
            for first, end in row_parts(top, top + 128):
                source.read(first, end)
        assert read_so_far() - before < 1.1 * path.stat().st_size
