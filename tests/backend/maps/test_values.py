"""A map is read without filling and in the right order, and its checks are in the result, the file and `info`."""

import json

import numpy as np
import pytest
import rasterio


@pytest.fixture
def mapped(cli, tiny_model, tmp_path):
    """Map a raster: result event, warnings, classes and tags."""

    def run(path, *options):
        arguments = ("--model", tiny_model, "--device", "cpu", "--overwrite", "--progress", "json")
        code, out, _ = cli("landcover", path, tmp_path / "o.tif", *arguments, *options)
        events = [json.loads(line) for line in out.splitlines()]
        assert code == 0, events
        warnings = [e["message"] for e in events if e["event"] == "log" and e["level"] == "warning"]
        with rasterio.open(tmp_path / "o.tif") as file:
            return events[-1], warnings, file.read(1), file.tags()

    return run


def test_exchanged_bands_without_names_give_the_same_map(mapped, make_raster, scene_db):
    values = scene_db(70, 80)
    plain = mapped(make_raster(values))[2]
    result, warnings, classes, tags = mapped(make_raster(values[::-1], "swapped.tif", ()))
    assert (classes == plain).all() and any("taken as VH, VV" in text for text in warnings)
    assert any(check["verdict"] == "corrected" for check in result["checks"])
    assert any("corrected" in check for check in json.loads(tags["SARDINO_CHECKS"]))


def test_filling_in_one_band_is_nodata(mapped, make_raster, scene_db):
    values = scene_db(70, 80)
    values[0, :, :9] = 0
    _, warnings, classes, _ = mapped(make_raster(values))
    assert (classes[:, :9] == 0).all() and (classes[:, 9:] > 0).all()
    assert any("exactly 0, read as nodata" in text for text in warnings)


def test_implausible_values_are_refused_unless_accepted(cli, mapped, make_raster, scene_db, tiny_model, tmp_path):
    path = make_raster((scene_db(64, 64) + 50) / 55)
    code, _, err = cli("landcover", path, tmp_path / "o.tif", "--model", tiny_model, "--device", "cpu")
    assert code == 1 and "--accept-values" in err and not (tmp_path / "o.tif").exists()
    assert any(c["verdict"] == "accepted" for c in mapped(path, "--accept-values")[0]["checks"])


def test_sigma0_for_a_model_of_gamma0_gives_one_warning(mapped, make_raster, scene_db):
    told = [
        mapped(make_raster(scene_db(64, 64), "s.tif", names))[1] for names in (("Sigma0_VV", "Sigma0_VH"), ("VV", "VH"))
    ]
    assert sum("sigma0" in text for text in told[0]) == 1 and not any("sigma0" in text for text in told[1])


def test_a_ratio_in_the_place_of_a_band_is_refused(cli, make_raster, scene_db, tiny_model, tmp_path):
    db = scene_db(64, 64)
    path = make_raster(np.stack([db[1] - db[0], db[0], db[1]]), "rgb.tif", ())
    call = ("landcover", path, tmp_path / "o.tif", "--model", tiny_model, "--device", "cpu")
    code, _, err = cli(*call)
    assert code == 1 and "Band 1 is the ratio of two others" in err and "--bands 2 3" in err
    assert cli(*call, "--bands", 2, 3)[0] == 0


@pytest.mark.parametrize(
    "place",
    [("EPSG:32633", 15, 45, 9e-5, "coordinates are degrees"), ("EPSG:4326", 5e5, 5e6, 10, "are no degrees")],
)
def test_coordinates_that_contradict_their_system_are_refused(cli, make_raster, scene_db, tiny_model, place):
    crs, x, y, pixel, said = place
    path = make_raster(scene_db(64, 64), crs=crs, transform=rasterio.transform.from_origin(x, y, pixel, pixel))
    tmp_path = path.parent
    code, _, err = cli("landcover", path, tmp_path / "o.tif", "--model", tiny_model)
    assert code == 1 and said in err and "Assign the right coordinate system" in err


def test_other_polarisations_in_the_name_of_the_file(cli, make_raster, scene_db, tiny_model, tmp_path):
    path = make_raster(scene_db(64, 64), "ALOS2_HH_HV.tif", ())
    code, _, err = cli("landcover", path, tmp_path / "o.tif", "--model", tiny_model)
    assert code == 1 and "The raster has HH, HV" in err


def test_info_tells_all_checks_before_a_run(cli, make_raster, scene_db):
    swapped = np.ascontiguousarray(scene_db(64, 64)[::-1])
    facts = json.loads(cli("info", make_raster(swapped, "s.tif", ()), "--progress", "json")[1])["raster"]
    names = [check["name"] for check in facts["checks"]]
    assert {"units", "level of VV", "level of VH", "VV - VH"} <= set(names)
    assert any("Bands by position" in note for note in facts["notes"])
    refused = cli("info", make_raster((swapped + 50) / 55, "n.tif", ()))
    assert refused[0] == 0 and "refused: " in refused[1]
