"""Test the commands that algorithms make from their parameters."""

from __future__ import annotations

import numpy as np
import processing
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
)

from tests.support.options import option


def test_command_of_the_defaults(provider, calls, scene, tmp_path, repo_root, feedback):
    output = str(tmp_path / "out.tif")
    results = processing.run("sardino:landcover", {"INPUT": str(scene), "OUTPUT": output}, feedback=feedback)
    call = calls()
    assert call["arguments"] == [
        "-m", "backend", "landcover", str(scene), output, "--units", "auto", "--device", "auto",
        "--engine", "auto", "--batch-size", "0",
        "--progress", "json", "--overwrite",
    ]  # fmt: skip
    assert call["cwd"] == str(repo_root)
    assert "PYTHONPATH" not in call["environment"]
    assert results == {"OUTPUT": output, "MODEL_USED": "m", "DEVICE_USED": "cpu"}
    assert any("Tree cover: 30 px (75.0 %)" in text for text in feedback.infos)


def test_command_of_all_options(provider, calls, scene, tmp_path):
    paths = {name: str(tmp_path / f"{name}.tif") for name in ("OUTPUT", "OUTPUT_CONFIDENCE", "OUTPUT_PROBABILITIES")}
    results = processing.run(
        "sardino:landcover",
        {"INPUT": str(scene), "BANDS": [2, 1], "UNITS": "db", "MODEL": "some-model", "DEVICE": "cpu", "BATCH_SIZE": 3,
         **paths},
    )  # fmt: skip
    arguments = calls()["arguments"]
    assert option(arguments, "--bands", 2) == ["2", "1"]
    assert option(arguments, "--units") == ["db"]
    assert option(arguments, "--model") == ["some-model"]
    assert option(arguments, "--device") == ["cpu"]
    assert option(arguments, "--batch-size") == ["3"]
    assert option(arguments, "--confidence") == [paths["OUTPUT_CONFIDENCE"]]
    assert option(arguments, "--probabilities") == [paths["OUTPUT_PROBABILITIES"]]
    assert paths.items() <= results.items()


def test_polarisation_of_a_single_band_is_in_the_models_order(provider, calls, scene, tmp_path):
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif"), "BANDS": [2], "POLARISATION": "VH"}
    processing.run("sardino:landcover", given)
    assert option(calls()["arguments"], "--bands", 2) == ["0", "2"]
    for wrong, why in (({"BANDS": []}, "is for one band"), ({"POLARISATION": "HH"}, "no band HH; it has VV, VH")):
        good, said = (
            provider.algorithm("landcover").create().checkParameterValues({**given, **wrong}, QgsProcessingContext())
        )
        assert not good and why in said, "refused while the dialog is open"


def test_command_of_attention(provider, calls, scene, tmp_path):
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "a.tif")}
    processing.run("sardino:attention", given)
    arguments = calls()["arguments"]
    assert arguments[2] == "attention"
    assert option(arguments, "--heads") == ["mean"] and option(arguments, "--block") == ["-1"]
    assert "--mass" not in arguments
    masks = str(tmp_path / "m.tif")
    processing.run("sardino:attention", {**given, "HEADS": "all", "BLOCK": 2, "MASS": 0.5, "OUTPUT_MASKS": masks})
    arguments = calls()["arguments"]
    assert option(arguments, "--heads") == ["all"] and option(arguments, "--block") == ["2"]
    assert option(arguments, "--mass") == ["0.5"] and option(arguments, "--masks") == [masks]


def test_command_of_embeddings(provider, calls, scene, tmp_path):
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "e.tif")}
    results = processing.run("sardino:embeddings", given)
    arguments = calls()["arguments"]
    assert arguments[2:5] == ["embed", str(scene), given["OUTPUT"]]
    assert option(arguments, "--grid") == ["patch"] and option(arguments, "--block") == ["-1"]
    assert "--pca" not in arguments and "OUTPUT_PCA" not in results
    pca = str(tmp_path / "p.tif")
    results = processing.run("sardino:embeddings", {**given, "GRID": "input", "BLOCK": 1, "OUTPUT_PCA": pca})
    arguments = calls()["arguments"]
    assert option(arguments, "--grid") == ["input"] and option(arguments, "--block") == ["1"]
    assert option(arguments, "--pca") == [pca] and results["OUTPUT_PCA"] == pca


def test_extent_is_transformed_to_the_crs_of_the_layer(provider, calls, scene, tmp_path):
    degrees = QgsReferencedRectangle(
        QgsRectangle(13.688, 46.944, 13.692, 46.947), QgsCoordinateReferenceSystem("EPSG:4326")
    )
    processing.run("sardino:landcover", {"INPUT": str(scene), "EXTENT": degrees, "OUTPUT": str(tmp_path / "o.tif")})
    corners = [float(v) for v in option(calls()["arguments"], "--extent", 4)]
    assert 400000 < corners[0] < corners[2] < 400960
    assert 5199000 < corners[1] < corners[3] < 5200200


def test_extent_is_never_written_with_an_exponent(provider, calls, scene, tmp_path):
    extent = "400000.00001,400500,5199300,5200000 [EPSG:32633]"
    processing.run("sardino:landcover", {"INPUT": str(scene), "EXTENT": extent, "OUTPUT": str(tmp_path / "o.tif")})
    assert option(calls()["arguments"], "--extent", 4) == [
        "400000.0000100000", "5199300.0000000000", "400500.0000000000", "5200000.0000000000",
    ]  # fmt: skip


def test_extent_elsewhere_is_refused(provider, calls, scene, tmp_path):
    given = {"INPUT": str(scene), "EXTENT": "0,10,0,10 [EPSG:32633]", "OUTPUT": str(tmp_path / "o.tif")}
    with pytest.raises(QgsProcessingException, match="does not overlap"):
        processing.run("sardino:landcover", given)


def test_relative_paths_are_made_absolute(provider, calls, scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    processing.run("sardino:landcover", {"INPUT": "scene.tif", "OUTPUT": "out.tif"})
    assert calls()["arguments"][3:5] == [str(scene), str(tmp_path / "out.tif")]


def test_model_may_be_a_folder(provider, calls, scene, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    processing.run("sardino:landcover", {"INPUT": str(scene), "MODEL": "mine", "OUTPUT": str(tmp_path / "o.tif")})
    assert option(calls()["arguments"], "--model") == [str(tmp_path / "mine")]


def test_open_options_are_dropped_with_a_warning(provider, calls, scene, tmp_path, feedback):
    layer = QgsRasterLayer(f"{scene}|option:NUM_THREADS=2", "scene")
    assert layer.isValid()
    processing.run("sardino:landcover", {"INPUT": layer, "OUTPUT": str(tmp_path / "o.tif")}, feedback=feedback)
    del layer
    assert calls()["arguments"][3] == str(scene)
    assert any("NUM_THREADS" in text for text in feedback.warnings)


def test_loaded_layers_of_a_replaced_file_show_the_new_one(
    provider, calls, scene, make_scene, tmp_path, qgis_new_project
):
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "out.tif")}
    processing.run("sardino:landcover", given)
    layer, other = QgsRasterLayer(given["OUTPUT"], "mine"), QgsRasterLayer(str(scene), "other")
    QgsProject.instance().addMapLayers([layer, other])
    painted = []
    layer.repaintRequested.connect(lambda *_: painted.append(True))
    wider = make_scene(np.full((50, 200), -5.0), "wider.tif")
    processing.run("sardino:landcover", {**given, "INPUT": str(wider)})
    assert (layer.width(), layer.height()) == (200, 50) and layer.extent().width() == 2000
    assert layer.dataProvider().sample(QgsPointXY(401_900, 5_199_900), 1) == (-5.0, True)
    assert layer.name() == "mine" and painted and other.width() == 96
    del layer, other
