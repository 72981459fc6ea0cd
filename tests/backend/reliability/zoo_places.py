"""Valid files with unusual positions or layouts, and virtual rasters."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.shutil import copy
from rasterio.transform import from_origin

from tests.backend.reliability.zoo import (
    HEIGHT,
    PLACE,
    WIDTH,
    Mapped,
    Refused,
    Same,
    Specimen,
    plain,
    register,
    scene,
    specimen,
    write,
)

ALL = Mapped(np.ones((HEIGHT, WIDTH), dtype=bool))
LOCAL = 'LOCAL_CS["a site",UNIT["metre",1]]'


def _placed(expected: Mapped | Refused = ALL, **place: object):
    return lambda folder: Specimen(write(folder / "scene.tif", scene(), **place), expected)


register("no_crs", _placed(crs=None))
register("no_transform", _placed(transform=None))
register("neither_crs_nor_transform", _placed(crs=None, transform=None))
register("crs_of_a_building_site", _placed(crs=LOCAL))
register("heights_for_a_crs", _placed(crs="EPSG:5773"))
register("degrees", _placed(crs="EPSG:4326", transform=from_origin(10, 60, 2e-4, 1e-4)))
register("feet", _placed(crs="EPSG:2263", transform=from_origin(9e5, 2e5, 32.80833, 32.80833)))
register("rotated", _placed(transform=Affine(8, 6, 5e5, 6, -8, 4e6)))
register("south_up", _placed(transform=Affine(10, 0, 5e5, 0, 10, 4e6)))
register("mirrored", _placed(transform=Affine(-10, 0, 5e5, 0, -10, 4e6)))
register("across_the_date_line", _placed(crs="EPSG:4326", transform=from_origin(179.998, 10, 1e-4, 1e-4)))
register("at_the_pole", _placed(crs="EPSG:4326", transform=from_origin(10, 90, 1e-4, 1e-4)))
register(
    "beyond_the_pole", _placed(Refused("are no degrees"), crs="EPSG:4326", transform=from_origin(10, 95, 1e-4, 1e-4))
)
register("beyond_the_world", _placed(transform=from_origin(1e30, 1e30, 10, 10)))
register(
    "pixels_of_a_micrometre", _placed(Refused("must be 0.05 m or larger"), transform=from_origin(5e5, 4e6, 1e-6, 1e-6))
)
register("pixels_of_a_thousand_kilometres", _placed(transform=from_origin(5e5, 4e6, 1e6, 1e6)))
register("pixels_without_width", _placed(Refused("control points"), transform=Affine(0, 0, 5e5, 0, -10, 4e6)))
register("pixels_along_one_line", _placed(Refused("invalid geotransform"), transform=Affine(10, 10, 5e5, 10, 10, 4e6)))
register("transform_of_nan", _placed(Refused("invalid geotransform"), transform=Affine(math.nan, 0, 5e5, 0, -10, 4e6)))
register("origin_at_infinity", _placed(Refused("invalid geotransform"), transform=Affine(10, 0, math.inf, 0, -10, 4e6)))


def _points(*places: tuple[float, float, float, float]) -> list[GroundControlPoint]:
    return [GroundControlPoint(row=row, col=col, x=x, y=y) for row, col, x, y in places]


@specimen
def points_all_in_one_place(folder: Path) -> Specimen:
    path = write(folder / "scene.tif", scene(), gcps=_points(*[(5, 5, 20, 45)] * 4), transform=None, crs="EPSG:4326")
    return Specimen(path, Refused("control points"))


@specimen
def one_point(folder: Path) -> Specimen:
    path = write(folder / "scene.tif", scene(), gcps=_points((5, 5, 20, 45)), transform=None, crs="EPSG:4326")
    return Specimen(path, Refused("control point"))


@specimen
def points_across_the_world(folder: Path) -> Specimen:
    wide = _points((0, 0, -179, 85), (0, WIDTH, 179, -85), (HEIGHT, 0, 179, 85), (HEIGHT, WIDTH, -179, -85))
    path = write(folder / "scene.tif", scene(), gcps=wide, transform=None, crs="EPSG:4326")
    return Specimen(path, Refused("control points|no valid pixel|geotransform"))


def _laid_out(**layout: object):
    return lambda folder: Specimen(write(folder / "scene.tif", scene(), **layout), Same())


register("in_tiles", _laid_out(tiled=True, blockxsize=16, blockysize=16))
register("in_one_strip", _laid_out(blockysize=HEIGHT))
register("in_strips_of_a_row", _laid_out(blockysize=1))
register("by_pixel", _laid_out(interleave="pixel"))
register("by_band", _laid_out(interleave="band"))
register("big_endian", _laid_out(endianness="big"))
register("bigtiff", _laid_out(bigtiff="yes"))
register("deflate_with_a_predictor", _laid_out(compress="deflate", predictor=3))
register("lzw", _laid_out(compress="lzw", predictor=2))
register("packbits", _laid_out(compress="packbits"))
register("zstd", _laid_out(compress="zstd"))
register("lerc", _laid_out(compress="lerc"))


@specimen
def cloud_optimised(folder: Path) -> Specimen:
    copy(plain(folder), folder / "cog.tif", driver="COG")
    return Specimen(folder / "cog.tif", Same())


@specimen
def envi(folder: Path) -> Specimen:
    return Specimen(write(folder / "scene.dat", scene(), driver="ENVI"), Same())


@specimen
def text_of_a_grid(folder: Path) -> Specimen:
    for name in ("VV", "VH"):
        text = "ncols 3\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 10\n-9 -8 -7\n-9 -8 -7\n"
        (folder / f"scene_{name}.asc").write_text(text)
    return Specimen(folder / "scene_*.asc", Mapped(np.ones((2, 3), dtype=bool)))


@specimen
def inside_an_archive(folder: Path) -> Specimen:
    with zipfile.ZipFile(folder / "scenes.zip", "w") as archive:
        archive.write(plain(folder), "a b/scene.tif")
    return Specimen(f"/vsizip/{folder}/scenes.zip/a b/scene.tif", Same())


@specimen
def archive_without_it(folder: Path) -> Specimen:
    with zipfile.ZipFile(folder / "scenes.zip", "w") as archive:
        archive.writestr("../../other.tif", "x")
    return Specimen(f"/vsizip/{folder}/scenes.zip/scene.tif", Refused("is not a raster"))


def vrt(path: Path, source: object, size: tuple[int, int] = (HEIGHT, WIDTH), at: int = 0, band: str = "") -> Path:
    """Write a virtual raster of two bands of `source`, whose corner is `at` pixels from this one's."""
    window = f'xSize="{WIDTH}" ySize="{HEIGHT}"'
    transform = ", ".join(map(str, PLACE["transform"].to_gdal()))
    bands = "".join(
        f'<VRTRasterBand dataType="Float32" band="{number}" {band}><NoDataValue>nan</NoDataValue>'
        f"<SimpleSource><SourceFilename>{escape(str(source))}</SourceFilename><SourceBand>{number}</SourceBand>"
        f'<SrcRect xOff="0" yOff="0" {window}/><DstRect xOff="{at}" yOff="{at}" {window}/></SimpleSource>'
        "</VRTRasterBand>"
        for number in (1, 2)
    )
    path.write_text(
        f'<VRTDataset rasterXSize="{size[1]}" rasterYSize="{size[0]}"><SRS>EPSG:32630</SRS>'
        f"<GeoTransform>{transform}</GeoTransform>{bands}</VRTDataset>"
    )
    return path


@specimen
def virtual(folder: Path) -> Specimen:
    return Specimen(vrt(folder / "scene.vrt", plain(folder)), Same())


@specimen
def virtual_of_a_virtual(folder: Path) -> Specimen:
    return Specimen(vrt(folder / "outer.vrt", vrt(folder / "inner.vrt", plain(folder))), Same())


@specimen
def virtual_of_nothing(folder: Path) -> Specimen:
    return Specimen(vrt(folder / "scene.vrt", folder / "gone.tif"), Refused("not a raster|damaged|no valid pixel"))


@specimen
def virtual_of_itself(folder: Path) -> Specimen:
    return Specimen(vrt(folder / "scene.vrt", folder / "scene.vrt"), Refused("not a raster|damaged|no valid pixel"))


@specimen
def virtual_of_each_other(folder: Path) -> Specimen:
    vrt(folder / "a.vrt", folder / "b.vrt")
    return Specimen(vrt(folder / "b.vrt", folder / "a.vrt"), Refused("not a raster|damaged|no valid pixel"))


@specimen
def virtual_of_a_server_that_is_not_there(folder: Path) -> Specimen:
    source = "/vsicurl/http://127.0.0.1:9/scene.tif"
    return Specimen(vrt(folder / "scene.vrt", source), Refused("not a raster|damaged|no valid pixel"))


@specimen
def address_of_a_server_that_is_not_there(folder: Path) -> Specimen:
    return Specimen("http://127.0.0.1:9/scene.tif", Refused("not a raster"))


@specimen
def virtual_that_brings_code(folder: Path) -> Specimen:
    """Return a raster with a Python pixel function, which must not run: `test_zoo` would find the file it creates."""
    code = f"def run(*a, **k):\n open({str(folder / 'canary')!r}, 'w')\n"
    band = (
        'subClass="VRTDerivedRasterBand"><PixelFunctionType>run</PixelFunctionType>'
        f"<PixelFunctionLanguage>Python</PixelFunctionLanguage><PixelFunctionCode>{escape(code)}</PixelFunctionCode"
    )
    return Specimen(vrt(folder / "scene.vrt", plain(folder), band=band), Refused("not a raster|damaged"))


def sparse(folder: Path, side: int, nodata: float | None, at: int = -1) -> Path:
    """Return a sparse raster that stores nothing, or only the scene, `at` pixels from the corner."""
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "sparse_ok": True, "bigtiff": "yes", **PLACE}
    size = {"count": 2, "height": side, "width": side}
    path = folder / "scene.tif"
    with rasterio.open(path, "w", driver="GTiff", dtype="float32", nodata=nodata, **size, **layout) as file:
        if at >= 0:
            file.write(scene(), window=rasterio.windows.Window(at, at, WIDTH, HEIGHT))
    return path


@specimen
def sparse_and_empty(folder: Path) -> Specimen:
    return Specimen(sparse(folder, 200_000, -9999), Refused("no valid pixel"))


@specimen
def sparse_zeros(folder: Path) -> Specimen:
    return Specimen(sparse(folder, 200_000, None), Refused("are 0"))


@specimen
def sparse_and_only_its_island_is_wanted(folder: Path) -> Specimen:
    left, top = 500_000 + 1_000_000, 4_600_000 - 1_000_000
    extent = left, top - 10 * HEIGHT, left + 10 * WIDTH, top
    return Specimen(sparse(folder, 200_000, -9999, at=100_000), ALL, ("--extent", *extent))


@specimen
def virtual_wide_beyond_all_memory(folder: Path) -> Specimen:
    return Specimen(vrt(folder / "scene.vrt", plain(folder), (HEIGHT, 2**31 - 1)), Refused("memory"))


@specimen
def virtual_of_forty_gigapixels(folder: Path) -> Specimen:
    path = vrt(folder / "scene.vrt", plain(folder), (200_000, 200_000), at=100_000)
    return Specimen(path, Refused("no valid pixel"))
