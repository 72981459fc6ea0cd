"""Valid files with unusual values, types, bands or sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from tests.backend.reliability.zoo import (
    HEIGHT,
    WIDTH,
    Mapped,
    Refused,
    Same,
    Specimen,
    register,
    scene,
    specimen,
    write,
)

NOTHING_VALID = Refused("no valid pixel")
ALL = np.ones((HEIGHT, WIDTH), dtype=bool)


def _of(values: NDArray, expected: Mapped | Refused | Same, *options: object, tags: tuple = (), **profile: object):
    """Write two bands unchanged; `tags` are scale and offset of both."""

    def make(folder: Path) -> Specimen:
        path = write(folder / "scene.tif", values, **profile)
        if tags:
            with rasterio.open(path, "r+") as file:
                file.scales, file.offsets = (tags[0],) * 2, (tags[1],) * 2
        return Specimen(path, expected, options)

    return make


def _filled(value: float, dtype: str = "float32") -> NDArray:
    return np.full((2, HEIGHT, WIDTH), value, dtype=dtype)


def _with(where: NDArray, value: float, band: int | slice = slice(None)) -> NDArray:
    values = scene()
    values[band] = np.where(where, np.float32(value), values[band])
    return values


RIGHT = np.mgrid[:HEIGHT, :WIDTH][1] >= 30
BOARD = np.indices((HEIGHT, WIDTH)).sum(axis=0) % 2 == 1

register("all_nan", _of(_filled(np.nan), NOTHING_VALID))
register("all_infinite", _of(_filled(np.inf), NOTHING_VALID))
register("all_minus_infinite", _of(_filled(-np.inf), NOTHING_VALID))
register("all_nodata", _of(_filled(-9999), NOTHING_VALID, nodata=-9999))
register("all_nodata_of_nan", _of(_filled(np.nan), NOTHING_VALID, nodata=np.nan))
register("all_zero", _of(_filled(0), Refused("are 0")))
register("all_one_value", _of(_filled(-10), Refused("-10 everywhere")))
register("all_the_largest_float", _of(_filled(3.4e38), Refused("Units|digital numbers")))
register("all_the_smallest_float", _of(_filled(1e-45), Refused("everywhere")))
register("right_part_nan", _of(_with(RIGHT, np.nan), Mapped(~RIGHT)))
register("right_part_infinite", _of(_with(RIGHT, np.inf), Mapped(~RIGHT)))
register("right_part_minus_infinite", _of(_with(RIGHT, -np.inf), Mapped(~RIGHT)))
register("one_band_right_part_nan", _of(_with(RIGHT, np.nan, 1), Mapped(~RIGHT)))
register("board_of_nan", _of(_with(BOARD, np.nan), Mapped(~BOARD)))
register("board_of_nodata", _of(_with(BOARD, -9999), Mapped(~BOARD), nodata=-9999))
register("right_part_undeclared_nodata", _of(_with(RIGHT, -32768), Mapped(~RIGHT)))
register("nodata_of_zero", _of(_with(RIGHT, 0), Mapped(~RIGHT), nodata=0))
register("linear_power_with_zeros", _of(10 ** (_with(RIGHT, -np.inf) / 10), Mapped(~RIGHT)))
register("linear_power", _of(10 ** (scene() / 10), Mapped(ALL)))
register("negative_power", _of(-(10 ** (scene() / 10)), Refused("Units can't be decided")))
register("db_declared_as_power", _of(scene(), Refused("linear_power"), "--units", "linear_power"))
register("power_declared_as_db", _of(10 ** (scene() / 10), Refused("as dB"), "--units", "db"))
register("float64", _of(scene().astype("f8"), Same()))
register("float64_beyond_float32", _of(_with(RIGHT, 0).astype("f8") - RIGHT * 1e300, Mapped(~RIGHT)))
register("float64_nodata_beyond_float32", _of(_with(RIGHT, 0) - RIGHT * 1e300, Mapped(~RIGHT), nodata=-1e300))
register("int16_with_a_scale", _of((scene() * 100).round().astype("i2"), Same(), tags=(0.01, 0.0)))
register("int16_without_a_scale", _of((scene() * 100).round().astype("i2"), Refused("dB times 100 .*-scale 0.01")))
register("int16_in_whole_db", _of(scene().round().astype("i2"), Mapped(ALL)))
register("int16_nodata_beyond_its_type", _of(scene().round().astype("i2"), Mapped(ALL), nodata=-32768.0))
register("int32", _of(scene().round().astype("i4"), Mapped(ALL)))
register("int8", _of(scene().round().astype("i1"), Mapped(ALL)))
register("uint8", _of((scene() + 60).clip(1, 255).astype("u1"), Refused("picture|digital numbers")))
register("uint16_digital_numbers", _of((200 * 10 ** (scene() / 20)).astype("u2"), Refused("digital numbers")))
register("uint16_largest", _of(_filled(65535, "uint16"), Refused("digital numbers")))
register("uint32_largest", _of(_filled(2**32 - 1, "uint32"), Refused("digital numbers")))
register("int64_smallest", _of(_filled(-(2**63), "int64"), Refused("Units can't be decided")))
register("one_bit", _of(_filled(1, "uint8"), Refused("1 everywhere"), nbits=1))
register("complex_float", _of(scene().astype("c8"), Refused("complex")))
register("complex_double", _of(scene().astype("c16"), Refused("complex")))
register("complex_int", _of(scene().astype("c8"), Refused("complex"), dtype="complex_int16"))
register("scale_of_zero", _of(scene(), Refused("are 0"), tags=(0.0, 0.0)))
register("scale_of_nan", _of(scene(), NOTHING_VALID, tags=(np.nan, 0.0)))
register("scale_beyond_float32", _of(scene(), NOTHING_VALID, tags=(1e300, 0.0)))
register("offset_of_infinity", _of(scene(), NOTHING_VALID, tags=(1.0, np.inf)))

for _height, _width in ((1, 1), (1, 5000), (5000, 1), (2, 3), (7, 7), (1, 64), (65, 1), (63, 129)):
    register(f"{_height}_by_{_width}", _of(scene(_height, _width), Mapped(np.ones((_height, _width), dtype=bool))))


@specimen
def one_valid_pixel(folder: Path) -> Specimen:
    where = np.zeros((700, 700), dtype=bool)
    where[333, 222] = True
    return Specimen(write(folder / "scene.tif", np.where(where, scene(700, 700), np.float32(np.nan))), Mapped(where))


@specimen
def nothing_but_the_mask_is_valid(folder: Path) -> Specimen:
    path = write(folder / "scene.tif", scene())
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask(np.zeros((HEIGHT, WIDTH), dtype=bool))
    return Specimen(path, NOTHING_VALID)


def _bands(names: list[str], order: list[int], expected: Mapped | Refused | Same, *options: object):
    """Write named bands, each VV (0), VH (1) or something else (7)."""

    def make(folder: Path) -> Specimen:
        data = [scene()[kind] if kind < 2 else np.full((HEIGHT, WIDTH), 35, np.float32) for kind in order]
        return Specimen(write(folder / "scene.tif", np.stack(data), names), expected, options)

    return make


register("one_band", _bands(["VV"], [0], Refused("no band VH")))
register("one_band_without_a_name", _bands([], [0], Refused("1 band")))
register("three_bands", _bands(["VV", "VH", "angle"], [0, 1, 7], Same()))
register("three_bands_without_names", _bands([], [0, 1, 7], Same()))
register("bands_the_other_way_round", _bands(["sigma0_vh", "sigma0_vv"], [1, 0], Same()))
register("thirteen_bands", _bands([f"B{n}" for n in range(11)] + ["VH", "VV"], [7] * 11 + [1, 0], Same()))
register("three_hundred_bands", _bands([], [0, 1] + [7] * 298, Same()))
register("two_bands_of_one_name", _bands(["VV", "VV"], [0, 1], Refused("no band VH")))
register("names_of_other_things", _bands(["red", "\x1b[31mgreen"], [0, 1], Same()))
register("a_band_that_is_not_there", _bands([], [0, 1], Refused("no band 3"), "--bands", 1, 3))
register("a_band_of_number_nought", _bands([], [0, 1], Refused("A band number is 0"), "--bands", 0, 1))


@specimen
def picture_of_three_colours(folder: Path) -> Specimen:
    values = np.random.default_rng(0).integers(0, 256, (3, 60, 60)).astype("u1")
    return Specimen(write(folder / "photo.tif", values, (), photometric="rgb"), Refused("picture, not measurements"))


@specimen
def map_of_classes(folder: Path) -> Specimen:
    path = write(folder / "classes.tif", np.full((1, 60, 60), 10, np.uint8), ("land cover",))
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {10: (0, 100, 0, 255)})
    return Specimen(path, Refused("1 band"))


@specimen
def transparent_everywhere(folder: Path) -> Specimen:
    path = write(folder / "scene.tif", np.concatenate((scene(), np.zeros((1, HEIGHT, WIDTH), np.float32))), ())
    with rasterio.open(path, "r+") as file:
        file.colorinterp = (ColorInterp.gray, ColorInterp.undefined, ColorInterp.alpha)
    return Specimen(path, NOTHING_VALID)
