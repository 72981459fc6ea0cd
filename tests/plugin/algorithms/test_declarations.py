"""Test what the algorithms declare: parameters, help, icons, choices."""

from __future__ import annotations

import os

import pytest
from qgis.core import QgsProcessingParameterDefinition
from qgis.PyQt.QtCore import QUrl


def test_parameters_are_declared(provider):
    landcover = provider.algorithm("landcover")
    names = [p.name() for p in landcover.parameterDefinitions()]
    assert names == [
        "INPUT", "FURTHER", "BANDS", "POLARISATION", "EXTENT", "UNITS", "ACCEPT_VALUES", "MODEL", "DATES", "DEM",
        "DEM_HEIGHTS", "ORBIT", "FLATTEN", "MASK_NODATA", "DEVICE", "ENGINE", "BATCH_SIZE", "OUTPUT",
        "OUTPUT_CONFIDENCE", "OUTPUT_PROBABILITIES", "OUTPUT_AGREEMENT", "OUTPUT_MARGIN", "OUTPUT_ENTROPY",
        "OUTPUT_DISAGREEMENT", "OUTPUT_SURROUNDINGS",
    ]  # fmt: skip
    attention = {p.name() for p in provider.algorithm("attention").parameterDefinitions()}
    assert attention >= {"HEADS", "BLOCK", "MASS", "OUTPUT", "OUTPUT_MASKS"}


EVERY = ["landcover", "attention", "embeddings", "similarity", "trainclassifier", "accuracy", "calibrate", "composite",
         "flatten", "samplingdesign", "nextsamples", "polygons", "zones", "change", "sarchange"]  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_algorithms_and_parameters_have_help(provider, name):
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


@pytest.mark.parametrize("name", [name for name in EVERY if name not in ("trainclassifier", "calibrate")])
def test_help_opens_an_existing_page(provider, name):
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
        ("attention", "HEADS"): ["mean", "all", "log"],
        ("embeddings", "GRID"): ["patch", "input"],
        ("similarity", "GRID"): ["input", "patch"],
    }
    for (algorithm, name), options in choices.items():
        parameter = provider.algorithm(algorithm).parameterDefinition(name)
        assert parameter.usesStaticStrings()
        assert parameter.options() == options
        assert parameter.defaultValue() == options[0]


def test_onnx_runtime_is_offered_where_the_backend_has_it(provider, monkeypatch, tmp_path):
    python = tmp_path / "env" / "bin" / "python"
    places = [tmp_path / "env" / name / "site-packages" for name in ("Lib", "lib/python3.11")]
    python.parent.mkdir(parents=True)
    python.write_text("")
    python.chmod(0o755)
    monkeypatch.setenv("SARDINO_PYTHON", str(python))

    def engines():
        algorithm = provider.algorithm("landcover").create()  # which owns the parameter
        return algorithm.parameterDefinition("ENGINE").options()

    assert engines() == ["auto", "pytorch", "openvino", "openvino-int8"]
    for place in places:
        (place / "onnxruntime").mkdir(parents=True)
    assert engines() == ["auto", "pytorch", "openvino", "openvino-int8", "onnxruntime"]


def test_advanced_and_optional_parameters(provider):
    algorithm = provider.algorithm("landcover")
    flag = QgsProcessingParameterDefinition.Flag.FlagAdvanced
    advanced = {p.name() for p in algorithm.parameterDefinitions() if p.flags() & flag}
    measures = {"OUTPUT_MARGIN", "OUTPUT_ENTROPY", "OUTPUT_DISAGREEMENT", "OUTPUT_SURROUNDINGS"}
    slopes = {"DEM", "DEM_HEIGHTS", "ORBIT", "FLATTEN", "MASK_NODATA"}
    unusual = {"FURTHER", "POLARISATION", "ACCEPT_VALUES", "DATES", "DEVICE", "ENGINE", "BATCH_SIZE"}
    assert advanced == unusual | slopes | measures
    for name in ("OUTPUT_CONFIDENCE", "OUTPUT_PROBABILITIES", "OUTPUT_AGREEMENT", *measures):
        assert not algorithm.parameterDefinition(name).createByDefault()
