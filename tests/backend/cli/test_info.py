"""Test `info`: the installation, rasters and models."""

import json
import shutil


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


def test_info_loads_a_model_when_asked_to_check_it(cli, tiny_model, monkeypatch, tmp_path):
    assert cli("info", str(tiny_model), "--check")[0] == 0
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_model, damaged)
    with (damaged / "model.safetensors").open("ab") as file:
        file.write(b"x")
    assert cli("info", str(damaged))[0] == 0, "the card alone is in order"
    code, out, _ = cli("info", str(damaged), "--check", "--progress", "json")
    assert code == 1 and "SHA-256" in json.loads(out.splitlines()[-1])["message"]
    code, out, _ = cli("info", str(tmp_path), "--check", "--progress", "json")
    assert code == 1 and "model.safetensors" in json.loads(out.splitlines()[-1])["hint"]
