"""What the algorithms declare, and the command they make of it. The worker is a program that writes down its call."""

from __future__ import annotations

import json
import os

import numpy as np
import processing
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingParameterDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QUrl

COPYIST = """
import json, os, shutil, sys
arguments = sys.argv[1:]
with open({calls!r}, "w") as file:
    json.dump({{"arguments": arguments, "cwd": os.getcwd(), "environment": dict(os.environ)}}, file)
options = [o for o in ("--confidence", "--probabilities", "--masks", "--pca") if o in arguments]
for place in [4, *(arguments.index(o) + 1 for o in options)]:
    shutil.copy(arguments[3], arguments[place])
classes = [{{"value": 10, "name": "Tree cover", "color": "#006400", "pixels": 30}},
           {{"value": 80, "name": "Permanent water bodies", "color": "#0064c8", "pixels": 10}}]
print(json.dumps({{"event": "result", "outputs": {{"output": arguments[4]}}, "device": "cpu", "seconds": 1.0,
                   "model": "m", "classes": classes}}), flush=True)
"""


@pytest.fixture
def calls(script, monkeypatch, tmp_path):
    """Name a worker that copies its input; returns a function that reads what it was called with."""
    record = tmp_path / "calls.json"
    monkeypatch.setenv("SARDINO_PYTHON", str(script(COPYIST.format(calls=str(record)), "copyist")))
    return lambda: json.loads(record.read_text())


def option(arguments, name, count=1):
    start = arguments.index(name) + 1
    return arguments[start : start + count]


def test_parameters(provider):
    landcover = provider.algorithm("landcover")
    names = [p.name() for p in landcover.parameterDefinitions()]
    assert names == [
        "INPUT", "FURTHER", "BANDS", "EXTENT", "UNITS", "MODEL", "DEVICE", "ENGINE", "BATCH_SIZE",
        "OUTPUT", "OUTPUT_CONFIDENCE", "OUTPUT_PROBABILITIES",
    ]  # fmt: skip
    attention = {p.name() for p in provider.algorithm("attention").parameterDefinitions()}
    assert attention >= {"HEADS", "BLOCK", "MASS", "OUTPUT", "OUTPUT_MASKS"}


EVERY = ["landcover", "attention", "embeddings", "similarity", "trainclassifier", "accuracy", "calibrate"]


@pytest.mark.parametrize("name", EVERY)
def test_every_parameter_has_help_and_the_algorithm_tells_of_itself(provider, name):
    algorithm = provider.algorithm(name)
    for parameter in algorithm.parameterDefinitions():
        assert len(parameter.help()) > 15, parameter.name()
    assert algorithm.shortHelpString() and algorithm.tags() and not algorithm.icon().isNull()
    assert os.path.isfile(algorithm.svgIconPath()) and algorithm.svgIconPath().endswith(f"{name}.svg")
    assert algorithm.group() == ""
    flags = algorithm.flags()
    assert flags & algorithm.Flag.FlagSupportsBatch and flags & algorithm.Flag.FlagCanCancel
    assert not flags & (algorithm.Flag.FlagHideFromModeler | algorithm.Flag.FlagNoThreading)
    again = algorithm.create()
    assert type(again) is type(algorithm) and again is not algorithm and again.id() == f"sardino:{name}"


@pytest.mark.parametrize("name", ["landcover", "attention", "embeddings", "similarity", "accuracy"])
def test_help_opens_a_page_that_is_there(provider, name):
    url = QUrl(provider.algorithm(name).helpUrl())
    assert url.isLocalFile() and os.path.isfile(url.toLocalFile())
    with open(url.toLocalFile(), encoding="utf-8") as page:
        headings = [line.lstrip("# ").strip() for line in page if line.startswith("#")]
    assert provider.algorithm(name).displayName() in headings
    if url.hasFragment():
        assert url.fragment() == provider.algorithm(name).displayName().lower().replace(" ", "-")


def test_choices_are_static_strings(provider):
    choices = {
        ("landcover", "UNITS"): ["auto", "db", "linear_power", "amplitude"],
        ("landcover", "DEVICE"): ["auto", "cpu", "cuda", "mps"],
        ("attention", "HEADS"): ["mean", "all"],
        ("embeddings", "GRID"): ["patch", "input"],
        ("similarity", "GRID"): ["input", "patch"],
    }
    for (algorithm, name), options in choices.items():
        parameter = provider.algorithm(algorithm).parameterDefinition(name)
        assert parameter.usesStaticStrings()
        assert parameter.options() == options
        assert parameter.defaultValue() == options[0]


def test_advanced_and_optional_parameters(provider):
    algorithm = provider.algorithm("landcover")
    flag = QgsProcessingParameterDefinition.Flag.FlagAdvanced
    advanced = {p.name() for p in algorithm.parameterDefinitions() if p.flags() & flag}
    assert advanced == {"FURTHER", "DEVICE", "ENGINE", "BATCH_SIZE"}
    for name in ("OUTPUT_CONFIDENCE", "OUTPUT_PROBABILITIES"):
        assert not algorithm.parameterDefinition(name).createByDefault()


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


def points_given(arguments):
    return [
        [float(text) for text in arguments[place + 1 : place + 3]]
        for place, argument in enumerate(arguments)
        if argument == "--point"
    ]


def point_layer(crs, *wkts):
    layer = QgsVectorLayer(f"MultiPoint?crs={crs}", "places", "memory")
    features = []
    for wkt in wkts:
        features.append(QgsFeature())
        if wkt:
            features[-1].setGeometry(QgsGeometry.fromWkt(wkt))
    layer.dataProvider().addFeatures(features)
    return layer


def test_command_of_similarity_to_a_point(provider, calls, scene, tmp_path):
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "s.tif")}
    processing.run("sardino:similarity", {**given, "POINT": "400300.00001,5199500 [EPSG:32633]"})
    arguments = calls()["arguments"]
    assert option(arguments, "--point", 2) == ["400300.0000100000", "5199500.0000000000"]
    assert option(arguments, "--grid") == ["input"] and option(arguments, "--block") == ["-1"]
    processing.run("sardino:similarity", {**given, "POINT": "13.69,46.945 [EPSG:4326]", "GRID": "patch"})
    arguments = calls()["arguments"]
    ((x, y),) = points_given(arguments)
    assert 400_000 < x < 400_960 and 5_199_000 < y < 5_200_200  # checked against the extent's test below
    assert option(arguments, "--grid") == ["patch"]


def test_points_of_a_layer_come_in_the_crs_of_the_raster(provider, calls, scene, tmp_path, feedback):
    to_degrees = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:32633"), QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance()
    )
    here = [to_degrees.transform(x, 5_199_500) for x in (400_300, 400_500, 400_700)]
    wkts = [f"MultiPoint(({p.x()} {p.y()}), ({q.x()} {q.y()}))" for p, q in [here[:2]]]
    layer = point_layer("EPSG:4326", *wkts, f"MultiPoint(({here[2].x()} {here[2].y()}))", None)
    given = {"INPUT": str(scene), "POINTS": layer, "OUTPUT": str(tmp_path / "s.tif")}
    processing.run("sardino:similarity", given, feedback=feedback)
    expected = [[400_300, 5_199_500], [400_500, 5_199_500], [400_700, 5_199_500]]
    np.testing.assert_allclose(points_given(calls()["arguments"]), expected, atol=0.01)
    assert any(text.endswith("left out: 1.") for text in feedback.warnings)
    # With a point too, all count; of a layer with a selection, the selected features alone.
    layer.select(2)
    selected = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    QgsProject.instance().addMapLayer(layer, False)
    processing.run("sardino:similarity", {**given, "POINTS": selected, "POINT": "400100,5199500 [EPSG:32633]"})
    np.testing.assert_allclose(
        points_given(calls()["arguments"]), [[400_100, 5_199_500], [400_700, 5_199_500]], atol=0.01
    )
    QgsProject.instance().removeMapLayer(layer.id())
    del layer, given


def test_similarity_without_a_place_is_refused(provider, calls, scene, tmp_path):
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "s.tif")}
    with pytest.raises(QgsProcessingException, match="No place to compare with"):
        processing.run("sardino:similarity", given)
    empty = point_layer("EPSG:32633")
    with pytest.raises(QgsProcessingException, match="holds none that can be used"):
        processing.run("sardino:similarity", {**given, "POINTS": empty})
    del empty


def test_extent_of_another_crs_comes_in_the_layers(provider, calls, scene, tmp_path):
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


def test_open_options_of_the_layer_are_left_out_and_said(provider, calls, scene, tmp_path, feedback):
    layer = QgsRasterLayer(f"{scene}|option:NUM_THREADS=2", "scene")
    assert layer.isValid()
    processing.run("sardino:landcover", {"INPUT": layer, "OUTPUT": str(tmp_path / "o.tif")}, feedback=feedback)
    del layer
    assert calls()["arguments"][3] == str(scene)
    assert any("NUM_THREADS" in text for text in feedback.warnings)


def test_web_layers_are_refused_before_the_run(provider, calls, tmp_path):
    layer = QgsRasterLayer("type=xyz&url=file:///nowhere/{z}/{x}/{y}.png&zmax=3&zmin=0", "map", "wms")
    assert layer.isValid()
    algorithm = provider.algorithm("landcover").create()
    given = {"INPUT": layer, "OUTPUT": str(tmp_path / "o.tif")}
    good, why = algorithm.checkParameterValues(given, QgsProcessingContext())
    assert not good and "not from a raster file" in why
    with pytest.raises(QgsProcessingException, match="not from a raster file"):
        processing.run("sardino:landcover", given)
    del layer, given


def test_no_interpreter_is_told_before_and_in_the_run(no_interpreter, provider, scene, tmp_path):
    can, why = provider.algorithm("landcover").canExecute()
    assert not can
    assert "Set up backend…" in why and "SARDINO_PYTHON" in why
    with pytest.raises(QgsProcessingException, match="Set up backend…"):
        processing.run("sardino:landcover", {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif")})


def test_refusal_of_the_worker_is_an_exception(provider, scene, tmp_path, script, monkeypatch):
    body = """
        import json, sys
        print(json.dumps({"event": "error", "message": "too dark", "hint": "more light"}))
        sys.exit(1)
    """
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "refuser")))
    with pytest.raises(QgsProcessingException, match="too dark\nmore light"):
        processing.run("sardino:landcover", {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif")})


def test_success_without_a_file_is_an_exception(provider, scene, tmp_path, script, monkeypatch):
    body = "import json\nprint(json.dumps({'event': 'result', 'outputs': {}}))"
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "liar")))
    with pytest.raises(QgsProcessingException, match="is not there"):
        processing.run("sardino:landcover", {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif")})
