"""What the plugin's tests share. QGIS is real; only the worker's program is replaced, where a test says so."""

from __future__ import annotations

import stat
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis.core import QgsApplication, QgsProcessingFeedback

from sardino_qgis import environment

gdal.UseExceptions()


class RecordingFeedback(QgsProcessingFeedback):
    """A real feedback that also remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(False)
        self.infos: list[str] = []
        self.warnings: list[str] = []
        self.debug: list[str] = []
        self.texts: list[str] = []
        self.errors: list[str] = []

    def pushInfo(self, info):  # noqa: N802
        self.infos.append(info)

    def pushWarning(self, warning):  # noqa: N802
        self.warnings.append(warning)

    def pushDebugInfo(self, info):  # noqa: N802
        self.debug.append(info)

    def setProgressText(self, text):  # noqa: N802
        self.texts.append(text)

    def reportError(self, error, fatalError=False):  # noqa: N802, N803
        self.errors.append(error)


@pytest.fixture
def feedback(qgis_app) -> RecordingFeedback:
    return RecordingFeedback()


@pytest.fixture
def script(tmp_path):
    """Make an executable Python program of the given body; returns its path."""

    def make(body: str, name: str = "worker.py") -> Path:
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.fixture
def stuck(script) -> Path:
    """An interpreter that environments can be built on, but that never ends making one: it stops in the middle."""
    return script(
        f"""
        import json, os, subprocess, sys, time
        if "-c" in sys.argv:
            said = subprocess.run([{sys.executable!r}, *sys.argv[1:]], capture_output=True, text=True).stdout
            print(json.dumps(dict(json.loads(said), path=os.path.abspath(__file__))))
        elif "--without-pip" in sys.argv:
            sys.exit(subprocess.call([{sys.executable!r}, *sys.argv[1:]]))
        else:
            os.makedirs(os.path.join(sys.argv[-1], "half"))
            print("making it", flush=True)
            time.sleep(600)
        """,
        "python3",
    )


@pytest.fixture
def no_interpreter(qgis_app, monkeypatch, tmp_path):
    """Nothing named anywhere, and an empty profile."""
    monkeypatch.delenv(environment.VARIABLE, raising=False)
    before = environment.stored_interpreter()
    environment.store_interpreter("")
    monkeypatch.setattr(environment, "managed_folder", lambda: tmp_path / "profile" / "sardino" / "env")
    yield
    environment.store_interpreter(before)


@pytest.fixture
def provider(qgis_app, qgis_processing):
    """The provider, registered for one test."""
    from sardino_qgis.plugin import SarDinoPlugin

    plugin = SarDinoPlugin()
    plugin.initProcessing()
    yield plugin.provider
    plugin.unload()
    assert QgsApplication.processingRegistry().providerById("sardino") is None


@pytest.fixture
def scene(tmp_path) -> Path:
    """A small dual-pol scene in dB: UTM, 10 m, a nodata corner."""
    rng = np.random.default_rng(7)
    path = tmp_path / "scene.tif"
    options = ["TILED=YES", "COMPRESS=DEFLATE"]
    data = gdal.GetDriverByName("GTiff").Create(str(path), 96, 80, 2, gdal.GDT_Float32, options)
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32633)
    data.SetProjection(crs.ExportToWkt())
    data.SetGeoTransform((400000, 10, 0, 5200000, 0, -10))
    for index, (name, mean) in enumerate((("VV", -12.0), ("VH", -19.0)), start=1):
        values = rng.normal(mean, 2.0, (80, 96)).astype(np.float32)
        values[:10, :12] = -9999
        band = data.GetRasterBand(index)
        band.WriteArray(values)
        band.SetDescription(name)
        band.SetNoDataValue(-9999)
    data.FlushCache()
    del band, data
    return path
