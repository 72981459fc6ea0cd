"""The plugin zip, as users get it, runs from a fresh QGIS profile."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from backend.card.registry import DEFAULT_MODEL
from tests.support.make_safe import Scene, make_safe, zip_safe
from tools import qgis_cli
from tools.qgis_cli import QgisError, QgisProcess, find_qgis_process

ROOT = Path(__file__).resolve().parents[2]


# Outputs are read with osgeo, which an environment made WITHOUT_QGIS lacks.
HAS_QGIS = find_qgis_process() is not None and importlib.util.find_spec("osgeo") is not None


needs_qgis = pytest.mark.skipif(not HAS_QGIS, reason="qgis_process or this Python's osgeo is not installed")


@pytest.fixture(scope="module")
def installed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> QgisProcess:
    """A fresh QGIS profile with the zip unpacked as by the plugin manager, far from the checkout."""
    profile = tmp_path_factory.mktemp("qgis")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(profile / "profiles" / "default" / "python" / "plugins")
    qgis = QgisProcess(profile, worker=Path(sys.executable))
    qgis.enable("sardino_qgis", "processing")
    return qgis


@pytest.mark.slow
@needs_qgis
def test_landcover_runs(installed: QgisProcess, sample_scene: Path, tmp_path: Path) -> None:
    output = tmp_path / "landcover.tif"
    results = installed.run("sardino:landcover", INPUT=sample_scene, OUTPUT=output)
    assert Path(results["OUTPUT"]) == output
    info, expected = gdalinfo(output), gdalinfo(sample_scene)
    assert info["size"] == expected["size"]
    assert info["geoTransform"] == expected["geoTransform"]
    assert info["coordinateSystem"]["wkt"] == expected["coordinateSystem"]["wkt"]
    assert info["bands"][0]["noDataValue"] == 0
    assert info["bands"][0]["colorTable"]


@pytest.mark.slow
@needs_qgis
def test_attention_runs(installed: QgisProcess, sample_scene: Path, tmp_path: Path) -> None:
    output = tmp_path / "attention.tif"
    results = installed.run("sardino:attention", INPUT=sample_scene, OUTPUT=output)
    assert Path(results["OUTPUT"]) == output
    assert gdalinfo(output)["size"] == gdalinfo(sample_scene)["size"]


@pytest.mark.slow
@needs_qgis
def test_embeddings_and_similarity_run(installed: QgisProcess, sample_scene: Path, tmp_path: Path) -> None:
    scene, embeddings, similarity = gdalinfo(sample_scene), tmp_path / "embeddings.tif", tmp_path / "similarity.tif"
    extent = scene["cornerCoordinates"]
    (left, top), (x, y) = extent["upperLeft"], extent["center"]
    part = f"{left},{x},{y},{top}"
    installed.run("sardino:embeddings", INPUT=sample_scene, EXTENT=part, OUTPUT=embeddings)
    info = gdalinfo(embeddings)
    assert len(info["bands"]) == 192
    assert info["geoTransform"] == [v * 8 if i in (1, 5) else v for i, v in enumerate(scene["geoTransform"])]
    point = f"{x - 200},{y + 200}"
    installed.run("sardino:similarity", INPUT=sample_scene, EXTENT=part, POINT=point, OUTPUT=similarity)
    info = gdalinfo(similarity)
    assert info["geoTransform"] == scene["geoTransform"]
    assert info["size"] == [-(-side // 2) for side in scene["size"]]


@pytest.mark.slow
@needs_qgis
def test_an_added_model_runs_by_its_name(installed: QgisProcess, sample_scene: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(ROOT / "resources" / "models" / DEFAULT_MODEL, tmp_path / "my-model")
    settings = Path(installed.environment["QGIS_CUSTOM_CONFIG_PATH"]) / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    before = settings.read_text()
    # With amplitude the run would be refused: the scene is in dB.
    settings.write_text(f"{before}\n[sardino]\nmodels={mine}\nlast\\landcover\\UNITS=amplitude\n")
    try:
        output = tmp_path / "o.tif"
        results = installed.run("sardino:landcover", INPUT=sample_scene, MODEL="my-model", OUTPUT=output)
    finally:
        settings.write_text(before)
    assert results["MODEL_USED"] == DEFAULT_MODEL and output.is_file()


@pytest.mark.slow
@needs_qgis
def test_own_classes_are_learnt_and_mapped(installed: QgisProcess, sample_scene: Path, tmp_path: Path) -> None:
    """Points on the labels of the upper right corner of the sample scene; their model maps that corner."""
    from osgeo import gdal

    labels = gdal.Open(str(sample_scene.with_name("simulated_s1_labels.tif")))
    left, across, _, top, _, down = labels.GetGeoTransform()
    first = labels.RasterXSize - 128  # the other side of the scene has no data
    values, left = labels.ReadAsArray(first, 0, 128, 128), left + first * across
    common = sorted({int(value) for value in values[8::16, 8::16].ravel()})
    features = [
        {
            "type": "Feature",
            "properties": {"class": int(values[row, column])},
            "geometry": {"type": "Point", "coordinates": [left + (column + 0.5) * across, top + (row + 0.5) * down]},
        }
        for row in range(8, 128, 16)
        for column in range(8, 128, 16)
    ]
    epsg = f"EPSG:{labels.GetSpatialRef().GetAuthorityCode(None)}"
    named = {"type": "name", "properties": {"name": epsg}}
    samples, model, output = tmp_path / "samples.geojson", tmp_path / "my model", tmp_path / "own.tif"
    samples.write_text(json.dumps({"type": "FeatureCollection", "crs": named, "features": features}))
    results = installed.run("sardino:trainclassifier", INPUT=sample_scene, SAMPLES=samples, FIELD="class", OUTPUT=model)
    assert 0 <= results["ACCURACY"] <= 1 and results["BLOCKS"] >= 2
    card = json.loads((model / "card.json").read_text())
    assert [item["value"] for item in card["classes"]] == common
    part = f"{left},{left + 128 * across},{top + 128 * down},{top}"
    installed.run("sardino:landcover", INPUT=sample_scene, MODEL=model, EXTENT=part, OUTPUT=output)
    found = gdal.Open(str(output)).ReadAsArray()
    assert found.shape == values.shape and (found == values).mean() > 0.6


@pytest.mark.slow
@needs_qgis
def test_a_product_as_downloaded_is_calibrated_and_mapped(installed: QgisProcess, tmp_path: Path) -> None:
    product = make_safe(tmp_path, Scene(shape=(40, 50)))
    packed = zip_safe(product, tmp_path / "product.zip")
    installed.run("sardino:calibrate", INPUT=packed, PRODUCT="sigma0", UNITS="db", OUTPUT=tmp_path / "zip.tif")
    info = gdalinfo(tmp_path / "zip.tif")
    assert [band["description"] for band in info["bands"]] == ["VV", "VH"]
    installed.run("sardino:landcover", INPUT=product / "manifest.safe", OUTPUT=tmp_path / "landcover.tif")
    assert gdalinfo(tmp_path / "landcover.tif")["geoTransform"] == info["geoTransform"]


@needs_qgis
def test_a_refusal_fails_the_command(installed: QgisProcess, tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(QgisError, match="exited with status"):
        installed.run("sardino:landcover", INPUT=tmp_path / "text.tif", OUTPUT=tmp_path / "out.tif")
    assert not (tmp_path / "out.tif").exists()


def test_a_program_that_prints_no_results_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "qgis_process"
    program.write_text("#!/bin/sh\necho Segmentation of nothing\n")
    program.chmod(0o755)
    monkeypatch.setattr(qgis_cli, "find_qgis_process", lambda: str(program))
    with pytest.raises(QgisError, match=r"(?s)no results:.*of nothing"):
        QgisProcess(tmp_path / "profile").run("sardino:landcover")


def gdalinfo(path: Path) -> dict[str, Any]:
    """Return GDAL's information on a raster, from a child process: this one may hold another GDAL already."""
    code = "import json, sys; from osgeo import gdal; print(json.dumps(gdal.Info(sys.argv[1], format='json')))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    info: dict[str, Any] = json.loads(done.stdout)
    return info
