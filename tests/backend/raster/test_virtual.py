"""Stacks of files, missing polarisations, and rasters with any geotransform."""

import json

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.shutil import copy
from rasterio.transform import from_origin

from backend.card.model_card import ModelCard
from backend.core.errors import InputError
from backend.maps.landcover import landcover
from backend.maps.request import Request
from backend.raster.source import RasterSource
from backend.raster.virtual import scene_files

NAMES = ("VV", "VH")


@pytest.fixture
def run(tiny_model, tmp_path):
    def call(scene, model=tiny_model, **options):
        output = tmp_path / "out.tif"
        landcover(Request(str(scene), output, model, device="cpu", overwrite=True, **options))
        with rasterio.open(output) as file:
            return file.read(1), file.profile

    return call


@pytest.fixture
def forgiving(tiny_model, tmp_path):
    """Copy the tiny model, with a card that allows missing bands."""
    folder = tmp_path / "forgiving"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes((tiny_model / "model.safetensors").read_bytes())
    content = json.loads((tiny_model / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**content, "allows_missing_bands": True}))
    return folder


def test_a_file_for_each_polarisation_gives_the_map_of_one_file(run, make_raster, scene_db, tmp_path):
    db = scene_db(70, 90)
    db[:, :5] = np.nan
    whole, _ = run(make_raster(db))
    vv = make_raster(np.where(np.isnan(db[:1]), -99, db[:1]), "S1_2024_VV.tif", (), nodata=-99)
    vh = make_raster(
        np.nan_to_num(db[1:] * 100, nan=-32768).astype(np.int16), "S1_2024_vh.tif", ("gray",), nodata=-32768
    )
    with rasterio.open(vh, "r+") as file:
        file.scales = [0.01]
    for first, second in ((vv, vh), (vh, vv)):
        joined, profile = run(first, further=[str(second)])
        assert np.mean(joined != whole) < 0.01  # written as whole hundredths of dB
        assert profile["transform"] == from_origin(500000, 4_600_000, 10, 10)
        np.testing.assert_array_equal(joined == 0, whole == 0)
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.tags()["SARDINO_INPUT"] == "S1_2024_vh.tif, S1_2024_VV.tif"
    pattern, _ = run(tmp_path / "S1_2024_*.tif")
    np.testing.assert_array_equal(pattern, joined)


def test_pattern_gives_its_files_in_order_of_names(tmp_path):
    for name in ("b_VV.tif", "a_VH.tif", "c [1].tif"):
        (tmp_path / name).touch()
    assert scene_files(str(tmp_path / "?_V?.tif")) == [str(tmp_path / "a_VH.tif"), str(tmp_path / "b_VV.tif")]
    assert scene_files(str(tmp_path / "c [1].tif")) == [str(tmp_path / "c [1].tif")]
    with pytest.raises(InputError, match="No file matches"):
        scene_files(str(tmp_path / "none*.tif"))
    with pytest.raises(InputError, match="twice"):
        scene_files(str(tmp_path / "a_VH.tif"), [str(tmp_path / "*.tif")])


def test_seasons_of_a_stack_are_found_by_the_names_of_files(make_raster, tmp_path):
    for date, level in (("winter", -14.0), ("summer", -11.0)):
        for name, less in (("VV", 0.0), ("VH", 6.0)):
            values = np.full((1, 8, 8), level - less, np.float32)
            make_raster(values, f"S1_{date}_{name}.tif", ())
    wanted = ("VV_winter", "VH_winter", "VV_summer", "VH_summer")
    with RasterSource(scene_files(str(tmp_path / "S1_*.tif")), names=wanted) as source:
        values, valid = source.read(0, 8)
    assert valid.all() and values[:, 0, 0].tolist() == [-14.0, -20.0, -11.0, -17.0]


@pytest.mark.parametrize(
    "changes, text",
    [
        ({"transform": from_origin(500010, 4_600_000, 10, 10)}, "is not on the grid"),
        ({"transform": from_origin(500000, 4_600_000, 20, 10)}, "is not on the grid"),
        ({"crs": "EPSG:32631"}, "different coordinate systems"),
        ({"size": 20}, "20 x 20 pixels"),
        ({"mask": True}, "mask"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(make_raster, scene_db, changes, text):
    db = scene_db(30, 30)
    size, mask = changes.pop("size", 30), changes.pop("mask", False)
    first, second = make_raster(db[:1], "VV.tif"), make_raster(db[1:, :size, :size], "VH.tif", ("VH",), **changes)
    if mask:
        with rasterio.open(second, "r+") as file:
            file.write_mask(np.full((30, 30), 255, np.uint8))
    with pytest.raises(InputError, match=text) as refusal:
        RasterSource([str(first), str(second)], names=NAMES)
    assert refusal.value.hint


def test_missing_polarisation_is_filled_as_in_training(run, forgiving, tiny_model, make_raster, scene_db):
    db = scene_db(70, 80)
    db[0, :9] = np.nan
    alone = make_raster(db[:1], "scene_VV.tif", ())
    with pytest.raises(InputError, match="no band VH"):
        run(alone, tiny_model)
    card = ModelCard.load(forgiving / "card.json")
    both = np.stack((db[0], np.full_like(db[0], card.bands[1].mean)))
    expected, _ = run(make_raster(both), tiny_model, accept_values=True)
    for scene, bands in ((alone, None), (make_raster(db, "both.tif"), (1, 0))):
        found, _ = run(scene, forgiving, bands=bands)
        np.testing.assert_array_equal(found, expected)
    # Pixels of half the size are resampled, which is another code path.
    finer, _ = run(make_raster(db[:1], "fine_VV.tif", (), transform=from_origin(5e5, 46e5, 5, 5)), forgiving)
    np.testing.assert_array_equal(finer == 0, np.isnan(db[0]))


def test_the_command_line_joins_files(cli, tiny_model, make_raster, scene_db, tmp_path):
    db = scene_db(30, 40)
    vv, vh = make_raster(db[:1], "a VV.tif", ()), make_raster(db[1:], "b VH.tif", ())
    code, _, error = cli("landcover", vv, tmp_path / "o.tif", "--with", vh, "--model", tiny_model, "--progress", "none")
    assert code == 0, error
    code, _, error = cli("landcover", vv, vh, "--with", vh, "--overwrite", "--model", tiny_model, "--progress", "none")
    assert code == 1 and "is the input" in error


POSITIONS = {
    "south-up": ("EPSG:32630", Affine(10, 0, 5e5, 0, 10, 46e5)),
    "mirrored": ("EPSG:32630", Affine(-10, 0, 5e5, 0, -10, 46e5)),
    "rotated": ("EPSG:32630", Affine.translation(5e5, 46e5) * Affine.rotation(30) * Affine.scale(10, -10)),
    "across the antimeridian": ("EPSG:4326", from_origin(179.996, 0.004, 9e-5, 9e-5)),
    "across it, projected": ("EPSG:3832", from_origin(3339584.7 - 400, 400, 10, 10)),
}


@pytest.mark.parametrize("position", POSITIONS)
def test_output_has_the_position_of_the_raster(run, make_raster, scene_db, position):
    db = scene_db(70, 80)
    crs, place = POSITIONS[position]
    expected, _ = run(make_raster(db))
    found, profile = run(make_raster(db, "placed.tif", crs=crs, transform=place))
    assert profile["transform"].almost_equals(place, 1e-9) and profile["crs"] == rasterio.crs.CRS.from_user_input(crs)
    np.testing.assert_array_equal(found, expected)


def vrt_source(path, band, offset, size):
    return (
        f"<SimpleSource><SourceFilename>{path}</SourceFilename><SourceBand>{band}</SourceBand>"
        f'<SrcRect xOff="0" yOff="0" xSize="{size}" ySize="130"/>'
        f'<DstRect xOff="{offset}" yOff="0" xSize="{size}" ySize="130"/></SimpleSource>'
    )


def test_mosaics_and_cloud_optimised_files_give_the_same_map(run, make_raster, scene_db, tmp_path):
    db = scene_db(130, 140)
    expected, _ = run(make_raster(db))
    copy(make_raster(db, "plain.tif"), tmp_path / "cloud.tif", driver="COG", blocksize=128)
    left = make_raster(db[:, :, :60], "left.tif")
    right = make_raster(db[:, :, 60:], "right.tif", transform=from_origin(500600, 4_600_000, 10, 10))
    parts = ((left, 0, 60), (right, 60, 80))
    bands = "".join(
        f'<VRTRasterBand dataType="Float32" band="{band}"><Description>{name}</Description>'
        + "".join(vrt_source(path, band, offset, size) for path, offset, size in parts)
        + "</VRTRasterBand>"
        for band, name in enumerate(NAMES, 1)
    )
    (tmp_path / "mosaic.vrt").write_text(
        '<VRTDataset rasterXSize="140" rasterYSize="130"><SRS>EPSG:32630</SRS>'
        f"<GeoTransform>500000,10,0,4600000,0,-10</GeoTransform>{bands}</VRTDataset>"
    )
    for name in ("cloud.tif", "mosaic.vrt"):
        np.testing.assert_array_equal(run(tmp_path / name)[0], expected)
