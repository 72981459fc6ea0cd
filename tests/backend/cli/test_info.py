"""Test `info`: the installation, rasters and models."""

import json
import shutil

import pytest

from tests.support.make_safe import Scene, make_safe


def test_info_of_installation_raster_and_model(cli, make_raster, scene_db, tiny_model, monkeypatch):
    monkeypatch.setenv("SARDINO_MODELS", str(tiny_model.parent))
    code, out, _ = cli("info", "--progress", "json")
    facts = json.loads(out)
    assert code == 0 and facts["event"] == "result" and facts["device"] in ("cpu", *facts["devices"], facts["device"])
    model = next(m for m in facts["models"] if m["name"] == "tiny")
    assert model["bands"] == ["VV", "VH"] and model["classes"][0]["value"] == 10
    raster = json.loads(cli("info", make_raster(scene_db(20, 20)), "--progress", "json")[1])["raster"]
    assert (raster["width"], raster["crs"], raster["units"]) == (20, "EPSG:32630", "db")
    assert "Tiny, random weights" in cli("info", "tiny")[1]
    assert cli("info", "neither")[0] == 1


@pytest.fixture
def pair(make_raster, scene_db):
    values = scene_db(60, 60)
    return [make_raster(values[[row]], f"s1_{name}.tif", ()) for row, name in enumerate(("vv", "vh"))]


def facts_of(cli, *words):
    code, out, err = cli("info", *words, "--progress", "json")
    assert code == 0, err
    return next(iter(json.loads(out)[kind] for kind in ("raster", "product") if kind in json.loads(out)))


def test_info_of_the_files_of_a_scene(cli, pair, tiny_model):
    model = ("--model", tiny_model)
    for given in ((pair[0].with_name("s1_*.tif"),), (pair[0], "--with", pair[1])):
        facts = facts_of(cli, *given, *model)
        assert "refused" not in facts and facts["units"] == "db" and facts["model"] == "tiny"
        assert {text.split()[0] for text in facts["taken"]} == {"VV", "VH"} and len(facts["bands"]) == 2
        assert [check["name"] for check in facts["checks"]][:3] == ["level of VV", "level of VH", "VV - VH"]
    assert cli("info", pair[0].with_name("no_*.tif"))[0] == 1


def test_info_says_what_a_model_and_options_would_take(cli, pair, tiny_model, make_raster, scene_db):
    model = ("--model", tiny_model)
    alone = facts_of(cli, pair[0], *model)["refused"]
    assert "no band VH among 's1_vv'. Give the file of the other polarisation too (--with" in alone
    both = make_raster(scene_db(60, 60)[::-1], "odd.tif", ("x", "y"))
    assert facts_of(cli, both, *model, "--bands", 2, 1)["taken"] == ["VV is band 2", "VH is band 1"]
    assert "given as amplitude" in facts_of(cli, both, *model, "--units", "amplitude")["refused"]
    assert "No model called 'none'" in facts_of(cli, both, "--model", "none")["refused"]
    assert "Tiny, random weights" in cli("info", "--model", tiny_model)[1]


def test_info_of_a_product_says_what_a_model_would_take(cli, tmp_path, tiny_model):
    folder = make_safe(tmp_path, Scene(shape=(30, 40), polarisations=("HH", "HV")))
    assert "the model wants VV, VH" in facts_of(cli, folder, "--model", tiny_model)["refused"]
    folder = make_safe(tmp_path / "other", Scene(shape=(30, 40)))
    assert facts_of(cli, folder, "--model", tiny_model)["model"] == "tiny, with VV, VH"


def test_info_loads_a_model_when_asked_to_check_it(cli, tiny_model, monkeypatch, tmp_path):
    assert cli("info", str(tiny_model), "--check")[0] == 0
    assert cli("info", "--check", "--model", str(tmp_path / "none"))[0] == 1
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_model, damaged)
    with (damaged / "model.safetensors").open("ab") as file:
        file.write(b"x")
    assert cli("info", str(damaged))[0] == 0, "the card alone is in order"
    code, out, _ = cli("info", str(damaged), "--check", "--progress", "json")
    assert code == 1 and "SHA-256" in json.loads(out.splitlines()[-1])["message"]
    code, out, _ = cli("info", str(tmp_path), "--check", "--progress", "json")
    assert code == 1 and "model.safetensors" in json.loads(out.splitlines()[-1])["hint"]
