"""Test algorithms of the plugin with a backend in which PyTorch, timm and torchvision are missing."""

from __future__ import annotations

import sys

import numpy as np
import processing
import pytest
from osgeo import gdal

from sardino_qgis.environment import locate
from tests.support.backend.light_environment import BLOCK, light_python


@pytest.fixture(scope="module")
def light(tmp_path_factory, backend_python):
    folder = tmp_path_factory.mktemp("light")
    if backend_python == sys.executable:
        return light_python(folder)
    # The backend's root is another one (tools/newer_qgis.py): an environment made there has no interpreter here.
    (folder / "sitecustomize.py").write_text(BLOCK)
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}" exec "{backend_python}" "$@"\n')
    script.chmod(0o755)
    return script


def values(path):
    return gdal.Open(path).ReadAsArray()


def test_maps_are_those_with_pytorch(scene, tmp_path, light, backend_python, monkeypatch):
    maps = []
    for python, engine in ((str(light), "auto"), (backend_python, "pytorch")):
        monkeypatch.setenv(locate.VARIABLE, python)
        path = str(tmp_path / f"{engine}.tif")
        given = {"INPUT": str(scene), "MODEL": "tiny", "ENGINE": engine, "DEVICE": "cpu", "OUTPUT": path}
        processing.run("sardino:landcover", given)
        maps.append(values(path))
    assert (maps[0] == maps[1]).mean() > 0.999


def test_attention_and_similarity(scene, tmp_path, light, monkeypatch):
    monkeypatch.setenv(locate.VARIABLE, str(light))
    given = {"INPUT": str(scene), "MODEL": "tiny"}
    attention, near = str(tmp_path / "attention.tif"), str(tmp_path / "near.tif")
    processing.run("sardino:attention", {**given, "OUTPUT": attention})
    point = "13.69,46.945 [EPSG:4326]"
    processing.run("sardino:similarity", {**given, "POINT": point, "OUTPUT": near})
    assert np.isfinite(values(attention)).any() and np.nanmax(values(near)) == pytest.approx(1, abs=1e-5)
