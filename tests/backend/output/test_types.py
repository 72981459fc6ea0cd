"""A name that promises another format than the one written is refused."""

from pathlib import Path

import pytest
import rasterio

from backend.core.errors import InputError
from backend.output.names import check_outputs
from backend.output.types import check_raster_type, check_report_type, type_notes

FOREIGN = ["gpkg", "img", "vrt", "png", "jp2", "nc", "GPKG", "h5", "shp", "mbtiles", "asc", "zip", "json", "html"]


@pytest.mark.parametrize("ending", FOREIGN)
def test_maps_named_like_another_format_are_refused(tmp_path, ending):
    with pytest.raises(InputError, match=rf"ends in \.{ending}") as refusal:
        check_outputs([tmp_path / f"map.{ending}"], [], overwrite=True)
    assert "map.tif" in refusal.value.hint and "Translate" in refusal.value.hint


@pytest.mark.parametrize("name", ["map.tif", "map.TIFF", "map.gtiff", "map", "map.2024", "S1_10.5m", ".hidden"])
def test_unknown_endings_are_written_as_geotiff(name):
    check_raster_type(Path(name))
    assert bool(type_notes([Path(name)])) == (not name.lower().endswith(("tif", "tiff")))


@pytest.mark.parametrize(
    "role, good, bad",
    [
        ("output", "r.HTM", "r.pdf"),
        ("output", "report", "r.csv"),
        ("json", "r.json", "r.html"),
        ("csv", "r.txt", "r.xlsx"),
    ],
)
def test_reports_named_like_another_format_are_refused(role, good, bad):
    check_report_type(Path(good), role)
    with pytest.raises(InputError, match="ends in") as refusal:
        check_report_type(Path(bad), role)
    assert refusal.value.hint.startswith("Give a name that ends in .")


@pytest.mark.parametrize("option", ["--confidence", "--probabilities"])
def test_every_output_of_a_run_has_its_name_checked(cli, make_raster, scene_db, tiny_model, option):
    scene = make_raster(scene_db(64, 64))
    code, _, err = cli(
        "landcover", scene, scene.with_name("o.tif"), "--model", tiny_model, option, scene.with_name("c.png")
    )
    assert code == 1 and "ends in .png" in err and "c.tif" in err
    assert [path.name for path in scene.parent.iterdir()] == ["scene.tif"]


def test_an_output_without_ending_is_said_to_be_a_geotiff(cli, make_raster, scene_db, tiny_model):
    scene = make_raster(scene_db(64, 64))
    code, out, err = cli("landcover", scene, scene.with_name("o"), "--model", tiny_model, "--device", "cpu")
    assert code == 0 and "is a GeoTIFF" in out + err
    with rasterio.open(scene.with_name("o")) as file:
        assert file.driver == "GTiff"
