"""Mosaics: tiles of UTM and of one's own, and what decides where maps overlap."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform

from backend.core.errors import InputError
from backend.mosaic.sources import Source, newest_first
from backend.mosaic.tile_grid import OwnSquares, UtmSquares
from tests.support.stac.schemas import item_errors

SIDE = 60


@pytest.fixture
def archive(cli, make_raster, scene_db, tiny_model, tmp_path):
    """Two scenes of 60 pixels, the second 600 m to the east less 200 m; each of its own values."""

    def make(*options):
        (tmp_path / "scenes").mkdir()
        for number, east in ((1, 0), (2, 400)):
            place = Affine(10, 0, 500_000 + east, 0, -10, 4_600_000)
            make_raster(scene_db(SIDE, SIDE, number), f"scenes/S1_2024010{number}.tif", transform=place)
        code, _, err = cli(
            "archive", tmp_path / "scenes", "--out", tmp_path / "out", "--model", tiny_model, "--units", "db", *options
        )
        assert code == 0, err
        return tmp_path / "out"

    return make


@pytest.fixture
def mosaic(cli, tmp_path):
    def call(*options, name="mosaic"):
        fixed = ("mosaic", tmp_path / "out/manifest.csv", tmp_path / name, "--crs", "EPSG:32630", "--size", "1000")
        return cli(*fixed, *options)

    return call


def scene(out, number, role="landcover"):
    with rasterio.open(out / f"scenes/S1_2024010{number}/S1_2024010{number}_{role}.tif") as file:
        return file.read()


def legend(out):
    """Return the values of the classes, in the order of the probabilities."""
    return np.array([fields[0] for fields in json.loads((out / "archive.json").read_bytes())["options"]["classes"]])


def whole(folder):
    """Return the classes of a mosaic between the corners of both scenes."""
    with rasterio.open(folder / "mosaic.vrt") as file:
        assert file.colormap(1)
        top, left = file.index(500_000 + 5, 4_600_000 - 5)
        return file.read(1)[top : top + SIDE, left : left + 100]


def test_the_newest_map_covers_the_older_one(archive, mosaic, tmp_path):
    out = archive()
    code, _, err = mosaic("--by", "date")
    assert code == 0, err
    made = whole(tmp_path / "mosaic")
    np.testing.assert_array_equal(made[:, :40], scene(out, 1)[0][:, :40])
    np.testing.assert_array_equal(made[:, 40:], scene(out, 2)[0])


def test_sums_of_probabilities_decide(archive, mosaic, tmp_path):
    out = archive("--also", "probabilities", "--bits", "8")
    code, _, err = mosaic("--confidence")
    assert code == 0, err
    sums = scene(out, 1, "probabilities")[:, :, 40:].astype(int) + scene(out, 2, "probabilities")[:, :, :20]
    clear = np.sort(sums, axis=0)[-1] > np.sort(sums, axis=0)[-2]
    made = whole(tmp_path / "mosaic")
    np.testing.assert_array_equal(made[:, 40:60][clear], legend(out)[sums.argmax(axis=0)][clear])
    (shares,) = [p for p in (tmp_path / "mosaic").glob("*_confidence.tif") if p.name.startswith("c500_r4599")]
    with rasterio.open(shares) as file:
        assert file.dtypes == ("uint8",) and file.nodata == 255


def test_feathers_fade_the_newest_map_in(archive, mosaic, tmp_path):
    out = archive("--also", "probabilities", "--bits", "8")
    assert mosaic("--by", "date", "--feather", "20")[0] == 0
    made = whole(tmp_path / "mosaic")
    # Its outermost columns have a twentieth of the weight: the older map decides there, and the newest further in.
    older, newer = scene(out, 1, "probabilities")[:, :, 40:].astype(float), scene(out, 2, "probabilities")[:, :, :20]
    weight = np.arange(1, 21) / 20
    sums = (weight * newer + (1 - weight) * weight[::-1] * older)[:, 20:40]
    clear = np.sort(sums, axis=0)[-1] > np.sort(sums, axis=0)[-2] + 0.1
    np.testing.assert_array_equal(made[20:40, 40:60][clear], legend(out)[sums.argmax(axis=0)][clear])
    assert clear.mean() > 0.5 and (made > 0).all()


def test_a_second_run_leaves_tiles_and_a_changed_one_is_refused(archive, mosaic, tmp_path):
    archive()
    assert mosaic("--by", "votes")[0] == 0
    tile = next((tmp_path / "mosaic").glob("c*.tif"))
    before = tile.stat().st_mtime_ns
    assert mosaic("--by", "votes")[0] == 0 and tile.stat().st_mtime_ns == before
    code, _, err = mosaic("--by", "date")
    assert code == 1 and "exists" in err
    assert mosaic("--by", "date", "--overwrite")[0] == 0 and tile.stat().st_mtime_ns > before


def test_what_cannot_be_decided_is_refused(archive, mosaic, cli, tmp_path):
    archive()
    assert "has no probabilities" in mosaic()[2]
    assert "1000 at most" in mosaic("--by", "votes", "--feather", "1001")[2]
    assert "whole number" in mosaic("--by", "votes", "--pixel-size", "30")[2]
    assert "not the manifest" in cli("mosaic", tmp_path / "out/plan.csv", tmp_path / "m")[2]


def test_the_item_is_valid(archive, mosaic, tmp_path):
    archive()
    mosaic("--by", "votes", "--confidence")
    item = json.loads((tmp_path / "mosaic/mosaic.json").read_bytes())
    assert item_errors(item) == []
    assert all((tmp_path / "mosaic" / asset["href"]).is_file() for asset in item["assets"].values())
    assert (tmp_path / "mosaic" / item["links"][0]["href"]).resolve() == (tmp_path / "out/collection.json").resolve()


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [
        (-0.12, 51.5, "30UXC"),
        (12.34, 45.43, "33TTL"),
        (2.35, 48.85, "31UDQ"),
        (-43.2, -22.9, "23KPQ"),
        (9.0, 52.3, "32UNC"),
    ],
)
def test_squares_have_the_names_of_mgrs(lon, lat, name):
    tiles = {tile.name: tile for tile in UtmSquares(10.0).tiles([(lon - 1e-4, lat - 1e-4, lon + 1e-4, lat + 1e-4)])}
    assert name in tiles
    grid = tiles[name].grid
    assert (grid.width, grid.height) == (10_000, 10_000) and grid.transform.a == 10


def test_squares_of_both_zones_cover_a_seam_and_the_equator():
    names = [tile.name for tile in UtmSquares(100.0).tiles([(5.9, -0.1, 6.1, 0.1)])]
    assert {name[:3] for name in names} == {"31M", "31N", "32M", "32N"}


def test_own_squares_are_counted_from_their_origin():
    squares = OwnSquares("EPSG:32630", 1000, 10, (500, 0))
    (west, north), (east, south) = ((-3.0, 40.01), (-2.999, 40.0))
    tiles = squares.tiles([(west, south, east, north)])
    assert all((tile.grid.transform.c - 500) % 1000 == 0 and tile.grid.transform.f % 1000 == 0 for tile in tiles)
    assert tiles[0].grid.crs == CRS.from_epsg(32630)
    with pytest.raises(InputError, match="no coordinate system"):
        OwnSquares("EPSG:1", 1000, 10)


@pytest.fixture
def crossing(cli, make_raster, scene_db, tiny_model, tmp_path):
    """Scenes over the antimeridian, in UTM of either side and in degrees; returns the folder of their archive."""
    (tmp_path / "scenes").mkdir()
    for number, (crs, left, top, pixel) in enumerate(
        [
            ("EPSG:32660", 691_700, 6_100_000, 10),
            ("EPSG:32601", 308_000, 6_100_000, 10),
            ("EPSG:4326", 179.996, 55, 1e-4),
        ],
        1,
    ):
        place = Affine(pixel, 0, left, 0, -pixel, top)
        make_raster(scene_db(SIDE, SIDE, number), f"scenes/S1_2024010{number}.tif", crs=crs, transform=place)
    code, _, err = cli(
        "archive", tmp_path / "scenes", "--out", tmp_path / "out", "--model", tiny_model, "--units", "db"
    )
    assert code == 0, err
    return tmp_path / "out"


@pytest.mark.parametrize(
    "grid", [("--pixel-size", "50"), ("--crs", "EPSG:4326", "--size", "1", "--pixel-size", "0.0005")]
)
def test_maps_over_the_antimeridian_are_on_both_sides(crossing, cli, tmp_path, grid):
    code, _, err = cli("mosaic", crossing / "manifest.csv", tmp_path / "m", "--by", "votes", *grid)
    assert code == 0, err
    item = json.loads((tmp_path / "m/mosaic.json").read_bytes())
    assert item_errors(item) == [] and item["bbox"][0] > 170 and item["bbox"][2] < -170
    assert item["geometry"]["type"] == "MultiPolygon"
    for number in (1, 2, 3):
        with rasterio.open(crossing / f"scenes/S1_2024010{number}/S1_2024010{number}_landcover.tif") as file:
            ends = [file.transform * (column, SIDE / 2) for column in (5, SIDE - 5)]
            lons, lats = transform(file.crs, CRS.from_epsg(4326), *zip(*ends))
        for lon, lat in zip([(lon + 180) % 360 - 180 for lon in lons], lats):
            values = []
            for tile in (tmp_path / "m").glob("*.tif"):
                with rasterio.open(tile) as file:
                    (x,), (y,) = transform(CRS.from_epsg(4326), file.crs, [lon], [lat])
                    values += [int(value[0]) for value in file.sample([(x, y)])]
            assert max(values, default=0) > 0, (number, lon)


def test_tiles_of_another_place_are_not_taken_over(archive, mosaic, tmp_path):
    archive()
    for origin, other in (("0", "500"), ("500", "0")):
        assert mosaic("--by", "votes", "--confidence", "--origin", origin, "0", "--overwrite")[0] == 0
        code, _, err = mosaic("--by", "votes", "--confidence", "--origin", other, "0")
        assert code == 1 and "exists" in err


def test_a_run_that_was_stopped_goes_on_also_with_confidence(archive, mosaic, tmp_path):
    archive()
    assert mosaic("--by", "votes", "--confidence")[0] == 0
    (tile,) = (path for path in (tmp_path / "mosaic").glob("*.tif") if "confidence" not in path.name)
    before, whole_item = tile.stat().st_mtime_ns, tmp_path / "mosaic/mosaic.json"
    whole_item.unlink()
    for more in ((), ("--overwrite",)):
        code, _, err = mosaic("--by", "votes", "--confidence", *more)
        assert code == 0, err
        assert tile.stat().st_mtime_ns == before and whole_item.is_file()


def test_maps_of_another_model_and_without_place_are_refused(archive, mosaic, tmp_path):
    manifest = archive() / "manifest.csv"
    text = manifest.read_text()
    with manifest.open(newline="") as file:
        row = list(csv.DictReader(file))[1]
    manifest.write_text(text.replace(row["model_sha256"], "0" * 64, 1))
    assert "another model" in mosaic("--by", "votes")[2]
    manifest.write_text(text.replace(",".join(row[side] for side in ("west", "south", "east", "north")), ",,,"))
    assert "S1_20240102 has no coordinate system" in mosaic("--by", "votes")[2]


def test_a_damaged_map_is_named(archive, mosaic, tmp_path):
    path = archive() / "scenes/S1_20240102/S1_20240102_landcover.tif"
    path.write_bytes(path.read_bytes()[:-100])
    code, _, err = mosaic("--by", "votes")
    assert code == 1 and str(path) in err and "can't be written" not in err


def test_the_newest_is_by_time_not_by_text():
    dates = ["2024-01-05T01:00:00+03:00", "2024-01-04T23:30:00Z", "2024-01", "2024-01-03"]
    sources = [Source(date, Path(), None, date, (0, 0, 1, 1), "") for date in dates]
    assert [source.date for source in newest_first(sources)] == [dates[1], dates[0], dates[3], dates[2]]
    with pytest.raises(InputError, match="'05.01.2024'"):
        newest_first([Source("a", Path(), None, "05.01.2024", (0, 0, 1, 1), "")])
